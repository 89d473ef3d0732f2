"""How masks return to the picture."""

from __future__ import annotations

import math

import numpy as np
import torch
from pycocotools import mask as coco
from torchvision.models.detection.roi_heads import paste_masks_in_image

from .geometry import Placement


def positions(extent: int, scaled: int, first: int, cells: int, inputs: int) -> tuple[np.ndarray, ...]:
    """A picture's pixels along one axis, on a grid of cells over the input: lower cell, upper cell, its weight."""
    at = ((np.arange(extent) + 0.5) * scaled / extent + first) * cells / inputs - 0.5
    at = np.clip(at, 0, cells - 1)
    lower = np.floor(at).astype(int)
    return lower, np.minimum(lower + 1, cells - 1), at - lower


def to_picture(maps: np.ndarray, where: Placement) -> np.ndarray:
    """Maps [n, h, w] over the whole input, in the picture: bilinear between pixel centres, no antialias, float64."""
    h, w = maps.shape[1:]
    x0, x1, across = positions(where.width, where.scaled_width, where.left, w, where.input_width)
    y0, y1, down = positions(where.height, where.scaled_height, where.top, h, where.input_height)
    result = np.empty((len(maps), where.height, where.width))
    for target, values in zip(result, maps.astype(np.float64)):
        rows = values[y0] * (1 - down[:, None]) + values[y1] * down[:, None]
        target[:] = rows[:, x0] * (1 - across) + rows[:, x1] * across
    return result


def cropped(masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Masks [n, H, W] without the pixels outside of x1 <= x < x2, y1 <= y < y2."""
    result = masks.copy()
    for mask, (x1, y1, x2, y2) in zip(result, boxes):
        columns, rows = np.arange(mask.shape[1]), np.arange(mask.shape[0])
        mask[~((rows >= y1) & (rows < y2))] = False
        mask[:, ~((columns >= x1) & (columns < x2))] = False
    return result


def pasted(patches: np.ndarray, boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Patches [n, M, M], one a box of the picture, as torchvision pastes them."""
    if not len(patches):
        return np.zeros((0, height, width), np.float32)
    values = torch.from_numpy(np.ascontiguousarray(patches, np.float32))[:, None]
    corners = torch.from_numpy(np.ascontiguousarray(boxes, np.float32))
    return paste_masks_in_image(values, corners, (height, width))[:, 0].numpy()


def bounds(mask: np.ndarray) -> np.ndarray:
    """x1 y1 x2 y2 around a mask that is not empty; the far sides are one past the last pixel."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def decoded(segmentation: dict) -> np.ndarray:
    """The mask of a COCO run-length object."""
    counts = segmentation["counts"]
    return coco.decode({"size": segmentation["size"], "counts": counts.encode()}).astype(bool)


def encoded(mask: np.ndarray) -> dict:
    """The COCO run-length object of a mask."""
    found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(found["size"]), "counts": found["counts"].decode()}


def agreement(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, int]:
    """Intersection over union (1 for two empty masks) and the number of pixels that differ."""
    if ours.shape != theirs.shape:
        return 0.0, math.prod(theirs.shape)
    union = int((ours | theirs).sum())
    return (int((ours & theirs).sum()) / union if union else 1.0), int((ours != theirs).sum())
