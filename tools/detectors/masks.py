"""How masks return to the picture."""

from __future__ import annotations

import math

import numpy as np
import torch
from pycocotools import mask as coco
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import paste_masks_in_image

from .geometry import Placement


def resampled(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Maps [n, h, w] at another size: bilinear between pixel centres, no antialias."""
    if maps.shape[1:] == (height, width) or not len(maps):
        return maps.reshape(-1, height, width)
    values = torch.from_numpy(np.ascontiguousarray(maps, np.float32))[None]
    return F.interpolate(values, (height, width), mode="bilinear", align_corners=False)[0].numpy()


def covered(maps: np.ndarray, where: Placement) -> np.ndarray:
    """The part of maps [n, h, w] over the whole input that the picture covers, cut at whole positions."""
    rows, columns = maps.shape[1] / where.input_height, maps.shape[2] / where.input_width

    def cut(first: int, extent: int, ratio: float, size: int) -> slice:
        start = min(max(0, round(first * ratio)), size - 1)
        return slice(start, min(size, max(start + 1, round((first + extent) * ratio))))

    return maps[:, cut(where.top, where.scaled_height, rows, maps.shape[1]),
                cut(where.left, where.scaled_width, columns, maps.shape[2])]


def to_picture(maps: np.ndarray, where: Placement) -> np.ndarray:
    """Maps over the whole input, in the picture."""
    return resampled(covered(maps, where), where.height, where.width)


def covered_prototypes(maps: np.ndarray, where: Placement, geometry: dict) -> np.ndarray:
    """The part of prototypes that the picture covers, as ultralytics' scale_masks cuts it (at least one row, column)."""
    if geometry.get("geometry") != "letterbox":
        return covered(maps, where)
    h, w = maps.shape[1:]
    gain = min(h / where.height, w / where.width)
    if geometry.get("align", "center") == "top-left":
        return maps[:, :max(1, round(where.height * gain)), :max(1, round(where.width * gain))]
    across, down = (w - where.width * gain) / 2, (h - where.height * gain) / 2
    top, left = min(round(down - 0.1), h - 1), min(round(across - 0.1), w - 1)
    bottom, right = max(h - round(down + 0.1), top + 1), max(w - round(across + 0.1), left + 1)
    return maps[:, top:bottom, left:right]


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
