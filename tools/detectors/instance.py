"""What a reference finds, and the decisions that rounding could have turned."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

NEAR = 1e-5
"""Scores and overlaps closer than this may compare either way in another order of summation."""


@dataclass
class Instance:
    """One object in the picture's coordinates."""

    class_index: int
    score: float
    box: np.ndarray
    """x1 y1 x2 y2, float64, inside the picture."""

    mask: np.ndarray | None = None
    """[height, width], bool."""


@dataclass(frozen=True)
class Tie:
    """One decision within rounding of the other outcome."""

    kind: str
    """threshold, cut (a limit on the number), overlap, order (equal scores of overlapping boxes), class."""

    score: float
    class_index: int | None = None

    def explains(self, found: Instance) -> bool:
        """Whether `found` may be there or not: the candidate itself, or one that a different outcome lets through."""
        if self.kind in ("threshold", "cut"):
            return abs(found.score - self.score) <= 2 * NEAR
        return found.class_index == self.class_index and found.score <= self.score + 2 * NEAR


@dataclass
class Ties:
    """The near-ties met while one picture was decoded."""

    found: list[Tie] = field(default_factory=list)

    def add(self, kind: str, score: float, class_index: int | None = None) -> None:
        self.found.append(Tie(kind, float(score), None if class_index is None else int(class_index)))

    def explain(self, instance: Instance) -> bool:
        return any(tie.explains(instance) for tie in self.found)


def above(scores: np.ndarray, threshold: float, ties: Ties) -> np.ndarray:
    """Which scores are strictly above the threshold."""
    for score in scores[np.abs(scores - threshold) <= NEAR]:
        ties.add("threshold", score)
    return scores > threshold


def best_first(scores: np.ndarray, limit: int | None, ties: Ties) -> np.ndarray:
    """Indices of the best scores, equal ones in their order, at most `limit`."""
    order = np.argsort(-scores, kind="stable")
    if limit is not None and limit < len(order):
        last, first_out = scores[order[limit - 1]] if limit else np.inf, scores[order[limit]]
        if last - first_out <= NEAR:
            ties.add("cut", last)
            ties.add("cut", first_out)
        order = order[:limit]
    return order


def best_class(scores: np.ndarray, threshold: float, ties: Ties) -> tuple[np.ndarray, np.ndarray]:
    """By row of [A, C], the best class (the first of equal ones) and its score."""
    classes = scores.argmax(1)
    best = scores[np.arange(len(scores)), classes]
    if scores.shape[1] > 1:
        second = np.partition(scores, -2, axis=1)[:, -2]
        for row in np.flatnonzero((best - second <= NEAR) & (best > threshold)):
            for index in np.flatnonzero(scores[row] >= best[row] - NEAR):
                ties.add("class", best[row], index)
    return classes, best


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values.astype(np.float64)))


def softmax(values: np.ndarray, axis: int = -1) -> np.ndarray:
    powers = np.exp(values.astype(np.float64) - values.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def activated(values: np.ndarray, name: str) -> np.ndarray:
    """Class scores under the card's `activation`."""
    return {"sigmoid": sigmoid, "softmax": softmax, "none": lambda x: x.astype(np.float64)}[name](values)
