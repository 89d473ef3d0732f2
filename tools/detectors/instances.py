"""Instances that the graph itself has decided on: torchvision's whole exports, mmdeploy's."""

from __future__ import annotations

import numpy as np

from . import masks
from .form import Outputs, most, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, best_first, sigmoid
from .yolo import corners


def one(values: np.ndarray, rank: int) -> np.ndarray:
    """Without the batch axis, where there is one."""
    return values[0] if values.ndim > rank else values


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters = card.get("instances", {})
    if "dets" in outputs:
        rows = one(outputs["dets"], 2).astype(np.float64)
        boxes, scores = rows[:, :4], rows[:, 4]
    else:
        boxes, scores = one(outputs["boxes"], 2).astype(np.float64), one(outputs["scores"], 1).astype(np.float64)
    labels = one(outputs["labels"], 1).astype(int) - parameters.get("first_label", 0)
    if parameters.get("corners", "xyxy") == "cxcywh":
        boxes = corners(boxes)
    if parameters.get("coordinates", "input") == "relative":
        boxes = boxes * ([where.input_width, where.input_height] * 2)
    kept = np.flatnonzero(above(scores, threshold(card), ties))
    kept = kept[best_first(scores[kept], most(card), ties)]
    if parameters.get("coordinates", "input") == "picture":
        placed = np.clip(boxes[kept], 0, np.array([where.width, where.height] * 2))
    else:
        placed = where.to_picture(boxes[kept])
    found = [Instance(int(labels[i]), float(scores[i]), box) for i, box in zip(kept, placed)]
    if "masks" in outputs and found:
        maps = outputs["masks"]
        # [D, 1, h, w], [D, h, w] or [1, D, h, w]
        maps = maps.reshape(-1, *maps.shape[-2:])[kept].astype(np.float32)
        maps = sigmoid(maps) if parameters.get("mask_activation", "none") == "sigmoid" else maps
        if parameters.get("masks", "input") == "box":
            shown = masks.pasted(maps, placed, where.height, where.width)
        else:
            shown = masks.to_picture(maps, where)
        for instance, mask in zip(found, shown):
            instance.mask = mask > parameters.get("mask_threshold", 0.5)
    return found
