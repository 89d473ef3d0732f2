"""FCOS: torchvision's model, whole and as raw heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torchvision.models.detection import FCOS
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from . import anchors, instances
from .form import Form, Outputs, threshold
from .geometry import Placement
from .instance import Instance, Ties, sigmoid
from .retinanet import candidates, selected
from .vision import CLASSES, LABELS, LONG, SHORT, pyramid, raise_sigmoid, settled, write_raw, write_whole

STRIDES = [8, 16, 32, 64, 128]
SCORE, OBJECTS = 0.4, 30


def model() -> FCOS:
    torch.manual_seed(15)
    made = FCOS(pyramid(LastLevelP6P7(32, 32), 2), CLASSES, min_size=SHORT, max_size=LONG, score_thresh=SCORE,
                detections_per_img=100).eval()
    head = made.head
    targets = {head.classification_head.cls_logits: (0.0, 0.8), head.regression_head.bbox_reg: (2.0, 1.5),
               head.regression_head.bbox_ctrness: (0.5, 1.0)}
    return settled(made, head, targets, lambda given: raise_sigmoid(
        [head.classification_head.cls_logits], given["cls_logits"], OBJECTS, SCORE**2, given["bbox_ctrness"].sigmoid()))


def write(path: Path) -> dict:
    roles = {"scores": "cls_logits", "boxes": "bbox_regression", "centerness": "bbox_ctrness"}
    parameters = {"strides": STRIDES, "candidates_per_level": 1000, "iou_threshold": 0.6, "max_detections": 100}
    return write_raw(model(), path, roles, "fcos", parameters, ["background", *LABELS])


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters = card.get("fcos", {})
    scores = np.sqrt(sigmoid(outputs["scores"][0]) * sigmoid(outputs["centerness"][0]))
    strides = parameters.get("strides", STRIDES)
    places = [anchors.centres(*grid) for grid in anchors.levels(strides, where.input_height, where.input_width)]
    sizes = np.concatenate([np.full(len(level), stride) for level, stride in zip(places, strides)])
    pairs = candidates(scores, [len(level) for level in places], parameters, threshold(card), ties)
    chosen = pairs[:, 0]
    distances = outputs["boxes"][0][chosen].astype(np.float64) * sizes[chosen, None] * [-1, -1, 1, 1]
    return selected(np.concatenate(places)[chosen] + distances, scores[chosen, pairs[:, 1]], pairs[:, 1], where, card,
                    parameters.get("iou_threshold", 0.6), parameters.get("max_detections", 100), ties)


def forms() -> list[Form]:
    return [Form("fcos_raw", write, reference),
            Form("fcos_whole", lambda path: write_whole(model(), path, ["boxes", "scores", "labels"], rank=4),
                 instances.reference, recognised=True, whole=True)]
