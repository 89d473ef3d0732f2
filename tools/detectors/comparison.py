"""Instances of the command beside those of a reference."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import masks
from .instance import Instance, Ties

SCORE_LIMIT, BOX_LIMIT, MASK_LIMIT = 1e-5, 0.01, 0.999
SMALL = 1000
"""Below this many pixels one pixel is more than 1 - MASK_LIMIT: one may differ, its logit rounded to the other side."""


@dataclass
class Result:
    """Pictures of one form compared."""

    pictures: int = 0
    instances: int = 0
    score: float = 0.0
    box: float = 0.0
    mask: float = 1.0
    """Worst overlap of masks from SMALL pixels on."""

    pixels: int = 0
    """Most pixels that differ in a smaller mask."""

    near_ties: int = 0
    """Instances that only one side has, or has elsewhere, each with a decision of the reference within rounding of the
    other outcome: pictures of one pixel, row or column stretched to a square are full of equal scores."""

    kept: float = 1.0
    """Share of the reference's instances that the command finds with the export itself."""

    faults: list[str] = field(default_factory=list)


def parsed(entry: dict, width: int, height: int) -> Instance:
    """One object of the command's JSON; raises ValueError where it contradicts itself."""
    box = np.array(entry["exact_box"], np.float64)
    if [int(value) for value in box] != entry["box"]:
        raise ValueError(f"box {entry['box']} is not exact_box {entry['exact_box']} in whole pixels")
    mask = None
    if entry.get("segmentation"):
        mask = masks.decoded(entry["segmentation"])
        if mask.shape != (height, width):
            raise ValueError(f"the mask is {mask.shape[::-1]}, the picture {width, height}")
        if int(mask.sum()) != entry["area"]:
            raise ValueError(f"area {entry['area']}, the mask has {int(mask.sum())} pixels")
    return Instance(entry["class_index"], entry["score"], box, mask)


def distance(ours: Instance, theirs: Instance) -> float:
    return float(np.abs(ours.box - theirs.box).max()) + 1000 * abs(ours.score - theirs.score)


def paired(expected: list[Instance], found: list[Instance]) -> tuple[list[tuple[Instance, Instance]], list[Instance]]:
    """Pairs of one class, the nearest first, and what has no partner within two pixels and 0.01 of score."""
    candidates = sorted(((distance(a, b), i, j) for i, a in enumerate(expected) for j, b in enumerate(found)
                         if a.class_index == b.class_index), key=lambda row: row[0])
    pairs, left, right = [], set(range(len(expected))), set(range(len(found)))
    for apart, i, j in candidates:
        if apart <= 12 and i in left and j in right:
            left.discard(i)
            right.discard(j)
            pairs.append((expected[i], found[j]))
    return pairs, [expected[i] for i in sorted(left)] + [found[j] for j in sorted(right)]


def compare(result: Result, name: str, expected: list[Instance], found: list[Instance], ties: Ties) -> None:
    """Adds one picture to the result."""
    result.pictures += 1
    result.instances += len(expected)
    pairs, alone = paired(expected, found)
    for instance in alone:
        if ties.explain(instance):
            result.near_ties += 1
        else:
            side = "missing" if any(instance is one for one in expected) else "too much"
            result.faults.append(
                f"{name}: {side}: class {instance.class_index}, score {instance.score:.6f}, "
                f"box {np.round(instance.box, 2).tolist()}; {len(expected)} expected, {len(found)} found")
    for ours, theirs in pairs:
        score, box = abs(ours.score - theirs.score), float(np.abs(ours.box - theirs.box).max())
        if box > BOX_LIMIT and ties.explain(ours) and ties.explain(theirs):
            result.near_ties += 1  # Another box of the same score.
            continue
        if score > SCORE_LIMIT and turned_pixels_explain(score, ours, theirs):
            result.near_ties += 1
            continue
        wrong = [f"score {theirs.score:.7f}, expected {ours.score:.7f}"] if score > SCORE_LIMIT else []
        result.score, result.box = max(result.score, score), max(result.box, box)
        wrong += [f"box {theirs.box.tolist()}, expected {ours.box.tolist()}"] if box > BOX_LIMIT else []
        wrong += [mask_fault] if (mask_fault := compare_masks(result, ours, theirs)) else []
        result.faults += [f"{name}: class {ours.class_index}: {text}" for text in wrong]


def turned_pixels_explain(score: float, ours: Instance, theirs: Instance) -> bool:
    """Whether a score that is a mean over the mask's pixels moves as far by the few that fell to a near class."""
    if ours.mask is None or theirs.mask is None or not ours.mask.any():
        return False
    _, pixels = masks.agreement(theirs.mask, ours.mask)
    return 0 < pixels <= 2 and score <= pixels / int(ours.mask.sum())


def compare_masks(result: Result, ours: Instance, theirs: Instance) -> str | None:
    if ours.mask is None and theirs.mask is None:
        return None
    if ours.mask is None or theirs.mask is None:
        # A mask without pixels may be left out of the JSON.
        return None if ours.mask is not None and not ours.mask.any() else "only one side has a mask"
    overlap, pixels = masks.agreement(theirs.mask, ours.mask)
    area = int(ours.mask.sum())
    if area < SMALL:
        result.pixels = max(result.pixels, pixels)
        return f"{pixels} pixels of a mask of {area} differ" if pixels > 1 else None
    result.mask = min(result.mask, overlap)
    return f"mask overlap {overlap:.5f} of {area} pixels" if overlap < MASK_LIMIT else None
