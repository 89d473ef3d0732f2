"""Greedy suppression: one plain statement, which notes the decisions that rounding could turn."""

from __future__ import annotations

import numpy as np

from .instance import NEAR, Ties


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with others; 0 where the union is empty."""
    extent = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = extent.clip(min=0).prod(1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def suppressed(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, threshold: float,
               ties: Ties) -> np.ndarray:
    """Indices of the boxes that stay, best score first: each class apart, overlap strictly above `threshold`."""
    kept: list[int] = []
    for label in np.unique(classes):
        rest = np.flatnonzero(classes == label)
        rest = rest[np.argsort(-scores[rest], kind="stable")]
        while len(rest):
            first, rest = rest[0], rest[1:]
            kept.append(first)
            shared = overlaps(boxes[first], boxes[rest])
            for index in rest[np.abs(shared - threshold) <= NEAR]:
                ties.add("overlap", scores[index], label)
            gone = shared > threshold
            for index in rest[gone & (scores[first] - scores[rest] <= NEAR)]:
                ties.add("order", scores[first], label)
            rest = rest[~gone]
    order = np.array(kept, np.int64)
    return order[np.argsort(-scores[order], kind="stable")]
