"""Boxes from anchors, as torchvision makes them: one statement for RetinaNet, FCOS and SSD."""

from __future__ import annotations

import math

import numpy as np

LIMIT = math.log(1000 / 16)
"""The greatest logarithm of a size factor."""


def levels(strides: list[int], height: int, width: int) -> list[tuple[int, int, int, int]]:
    """(rows, columns, step down, step across) by stride of a network input."""
    result = []
    for stride in strides:
        rows, columns = math.ceil(height / stride), math.ceil(width / stride)
        result.append((rows, columns, height // rows, width // columns))
    return result


def centres(rows: int, columns: int, down: int, across: int) -> np.ndarray:
    """x y x y of a level's anchors' places [cells, 4], row by row."""
    y, x = np.repeat(np.arange(rows) * down, columns), np.tile(np.arange(columns) * across, rows)
    return np.stack([x, y, x, y], 1).astype(np.float64)


def base_anchors(sizes: list[float], ratios: list[float]) -> np.ndarray:
    """Whole corners about 0 [ratios x sizes, 4] in float32 as torchvision: ratio = height / width."""
    roots = np.sqrt(np.array(ratios, np.float32))
    sizes32 = np.array(sizes, np.float32)
    widths = ((1 / roots)[:, None] * sizes32).ravel()
    heights = (roots[:, None] * sizes32).ravel()
    return np.round(np.stack([-widths, -heights, widths, heights], 1) / 2).astype(np.float64)


def decoded(offsets: np.ndarray, anchors: np.ndarray, variances: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """Corners from centre-coded offsets (dx dy dw dh) and anchors' corners."""
    offsets = offsets.astype(np.float64)
    sizes = anchors[:, 2:] - anchors[:, :2]
    centre = anchors[:, :2] + sizes / 2 + offsets[:, :2] * variances[0] * sizes
    half = sizes * np.exp(np.minimum(offsets[:, 2:] * variances[1], LIMIT)) / 2
    return np.concatenate([centre - half, centre + half], 1)
