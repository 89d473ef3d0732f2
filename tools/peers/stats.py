"""Medians, quartiles and the bootstrap interval of a paired ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

RESAMPLES, SEED, CONFIDENCE = 10_000, 1, 0.95
FEWEST = 5
"""With fewer undisturbed rounds than this all rounds count, and the result says so."""


@dataclass(frozen=True)
class Paired:
    """One engine's times against the baseline's of the same rounds."""

    median: float
    quartiles: tuple[float, float]
    ratio: float
    """Median over the baseline's median."""
    interval: tuple[float, float]
    kept: int
    dropped: int
    note: str = ""


def paired_ratio(times: Sequence[float], baseline: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Ratio of medians and its percentile bootstrap interval; rounds are drawn as pairs, which keeps common drift in."""
    ours, theirs = np.asarray(times, dtype=float), np.asarray(baseline, dtype=float)
    draws = np.random.default_rng(SEED).integers(0, len(ours), size=(RESAMPLES, len(ours)))
    ratios = np.median(ours[draws], axis=1) / np.median(theirs[draws], axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(ratios, [tail, 100 - tail])
    return float(np.median(ours) / np.median(theirs)), (float(low), float(high))


def keep(own: Sequence[bool], baseline: Sequence[bool]) -> list[int]:
    """The rounds in which neither turn was disturbed."""
    return [index for index, (a, b) in enumerate(zip(own, baseline)) if not a and not b]


def compare(times: Sequence[float], disturbed: Sequence[bool], baseline: Sequence[float],
            baseline_disturbed: Sequence[bool]) -> Paired:
    """One engine against the baseline over the undisturbed rounds; over all where fewer than `FEWEST` are left."""
    kept, note = keep(disturbed, baseline_disturbed), ""
    if len(kept) < FEWEST:
        note = f"{len(times) - len(kept)} of {len(times)} rounds were disturbed, so all count"
        kept = list(range(len(times)))
    ours = [times[index] for index in kept]
    ratio, interval = paired_ratio(ours, [baseline[index] for index in kept])
    low, middle, high = np.percentile(ours, [25, 50, 75])
    return Paired(float(middle), (float(low), float(high)), ratio, interval, len(kept), len(times) - len(kept), note)
