"""RetinaNet: torchvision's model, whole and as raw heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from . import anchors, instances
from .form import Form, Outputs, most, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, activated, best_first
from .suppression import suppressed
from .vision import CLASSES, LABELS, LONG, SHORT, pyramid, raise_sigmoid, settled, write_raw, write_whole

STRIDES = [8, 16, 32, 64, 128]
SIZES = [[int(x * 2 ** (i / 3)) for i in range(3)] for x in (32, 64, 128, 256, 512)]
RATIOS = [0.5, 1.0, 2.0]
SCORE, OBJECTS = 0.3, 30


def model() -> RetinaNet:
    torch.manual_seed(14)
    generator = AnchorGenerator(tuple(tuple(sizes) for sizes in SIZES), (tuple(RATIOS),) * len(SIZES))
    made = RetinaNet(pyramid(LastLevelP6P7(32, 32), 2), CLASSES, min_size=SHORT, max_size=LONG,
                     anchor_generator=generator, score_thresh=SCORE, detections_per_img=100).eval()
    head = made.head
    targets = {head.classification_head.cls_logits: (0.0, 0.7), head.regression_head.bbox_reg: (0.0, 0.3)}
    return settled(made, head, targets, lambda given: raise_sigmoid(
        [head.classification_head.cls_logits], given["cls_logits"], OBJECTS, SCORE))


def write(path: Path) -> dict:
    return write_raw(model(), path, {"scores": "cls_logits", "boxes": "bbox_regression"}, "retinanet", {
        "activation": "sigmoid", "strides": STRIDES, "sizes": SIZES, "aspect_ratios": RATIOS,
        "candidates_per_level": 1000, "iou_threshold": 0.5, "max_detections": 100}, ["background", *LABELS])


def candidates(scores: np.ndarray, counts: list[int], parameters: dict, limit: float, ties: Ties) -> np.ndarray:
    """(anchor, class) pairs [n, 2] of scores [A, C] above the threshold, the best of each level."""
    found, first = [], 0
    for count in counts:
        flat = scores[first:first + count].ravel()
        kept = np.flatnonzero(above(flat, limit, ties))
        kept = kept[best_first(flat[kept], parameters.get("candidates_per_level", 1000), ties)]
        found.append(np.stack([first + kept // scores.shape[1], kept % scores.shape[1]], 1))
        first += count
    assert first == len(scores), f"{len(scores)} anchors, the levels make {first}"
    return np.concatenate(found)


def selected(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, where: Placement, card: dict, overlap: float,
             detections: int, ties: Ties) -> list[Instance]:
    """Suppression of boxes held inside the picture's part of the input, and the way to the picture."""
    boxes = where.held(boxes)
    kept = suppressed(boxes, scores, labels, overlap, ties)
    for limit in (detections, most(card)):
        kept = kept[best_first(scores[kept], limit, ties)]
    placed = where.to_picture(boxes[kept])
    return [Instance(int(labels[i]), float(scores[i]), box) for i, box in zip(kept, placed)]


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters = card.get("retinanet", {})
    scores = activated(outputs["scores"][0], parameters.get("activation", "sigmoid"))
    grids = anchors.levels(parameters.get("strides", STRIDES), where.input_height, where.input_width)
    bases = [anchors.base_anchors(sizes, parameters.get("aspect_ratios", RATIOS))
             for sizes in parameters.get("sizes", SIZES)]
    places = [(anchors.centres(*grid)[:, None] + base).reshape(-1, 4) for grid, base in zip(grids, bases, strict=True)]
    pairs = candidates(scores, [len(level) for level in places], parameters, threshold(card), ties)
    boxes = anchors.decoded(outputs["boxes"][0][pairs[:, 0]], np.concatenate(places)[pairs[:, 0]])
    return selected(boxes, scores[pairs[:, 0], pairs[:, 1]], pairs[:, 1], where, card,
                    parameters.get("iou_threshold", 0.5), parameters.get("max_detections", 300), ties)


def forms() -> list[Form]:
    return [Form("retinanet_raw", write, reference),
            Form("retinanet_whole", lambda path: write_whole(model(), path, ["boxes", "scores", "labels"]),
                 instances.reference, recognised=True, whole=True)]
