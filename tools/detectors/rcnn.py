"""Faster and Mask R-CNN: torchvision's models, whole, and Mask R-CNN with its masks left as one patch a box."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from . import instances
from .form import Form
from .vision import LABELS, LONG, SHORT, pyramid, raise_softmax, settled, write_whole

SCORE, OBJECTS, PROPOSALS = 0.2, 25, 100


def model(masks: bool) -> FasterRCNN:
    torch.manual_seed(17)
    levels = ["0", "1", "2", "3"]
    generator = AnchorGenerator(((16,), (32,), (64,), (128,), (256,)), ((0.5, 1.0, 2.0),) * 5)
    options = dict(min_size=SHORT, max_size=LONG, rpn_anchor_generator=generator, rpn_pre_nms_top_n_test=150,
                   rpn_post_nms_top_n_test=PROPOSALS, box_score_thresh=SCORE, box_detections_per_img=40,
                   box_roi_pool=MultiScaleRoIAlign(levels, 5, 2, canonical_scale=100))
    if masks:
        options["mask_roi_pool"] = MultiScaleRoIAlign(levels, 14, 2, canonical_scale=100)
    made = (MaskRCNN if masks else FasterRCNN)(pyramid(LastLevelMaxPool(), 1), 1 + len(LABELS), **options).eval()
    predictor = made.roi_heads.box_predictor
    targets = {made.rpn.head.cls_logits: (0.0, 1.0), made.rpn.head.bbox_pred: (0.0, 0.3),
               predictor.cls_score: (0.0, 1.0), predictor.bbox_pred: (0.0, 1.0)}
    if masks:
        targets[made.roi_heads.mask_predictor.mask_fcn_logits] = (0.5, 1.5)
    return settled(made, predictor, targets, lambda given: raise_softmax(
        [predictor.cls_score.bias], given[0], OBJECTS, PROPOSALS, SCORE))


def forms() -> list[Form]:
    return [
        Form("faster_rcnn_whole", lambda path: write_whole(model(False), path, ["boxes", "labels", "scores"]),
             instances.reference, recognised=True, whole=True),
        Form("mask_rcnn_whole", lambda path: write_whole(model(True), path, ["boxes", "labels", "scores", "masks"]),
             instances.reference, recognised=True, whole=True),
    ]
