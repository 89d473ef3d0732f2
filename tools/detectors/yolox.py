"""YOLOX: decoupled heads without anchors; the export leaves boxes to be decoded, or decodes them in the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import pictures
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, best_class, best_first
from .parts import Backbone, ConvAct, Neck, level_for, settle
from .suppression import suppressed
from .yolo import corners

STRIDES = (8, 16, 32)
LABELS = ["person", "bicycle", "car", "dog", "kite"]
SCORE, OBJECTS = 0.3, 30


class Network(nn.Module):
    def __init__(self, decoded: bool, width: int = 24):
        super().__init__()
        self.decoded = decoded
        self.backbone = Backbone()
        self.neck = Neck(self.backbone.widths)

        def every(make) -> nn.ModuleList:
            return nn.ModuleList(make(w) for w in self.backbone.widths)

        self.stems = every(lambda w: ConvAct(w, width))
        self.class_tower = every(lambda w: ConvAct(width, width, 3))
        self.box_tower = every(lambda w: ConvAct(width, width, 3))
        self.score = every(lambda w: nn.Conv2d(width, len(LABELS), 1))
        self.box = every(lambda w: nn.Conv2d(width, 4, 1))
        self.object = every(lambda w: nn.Conv2d(width, 1, 1))

    def levels(self, x: Tensor) -> list[Tensor]:
        """[N, 5 + C, h, w] by stride: offsets and logs, logits."""
        result = []
        for level, feature in enumerate(self.neck(self.backbone(x))):
            stem = self.stems[level](feature)
            boxes = self.box_tower[level](stem)
            result.append(torch.cat([self.box[level](boxes), self.object[level](boxes),
                                     self.score[level](self.class_tower[level](stem))], 1))
        return result

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for level, stride in zip(self.levels(x), STRIDES):
            if self.decoded:
                y, x_ = torch.meshgrid(torch.arange(level.shape[2]), torch.arange(level.shape[3]), indexing="ij")
                level = torch.cat([(level[:, :2] + torch.stack([x_, y])) * stride, level[:, 2:4].exp() * stride,
                                   level[:, 4:]], 1)
            parts.append(torch.cat([level[:, :4], level[:, 4:].sigmoid()], 1).flatten(2))
        return torch.cat(parts, 2).transpose(1, 2)


def network(section: dict, decoded: bool) -> Network:
    torch.manual_seed(13)
    made, batch = Network(decoded), torch.cat(pictures.batch(section))
    sizes = torch.tensor([0.5, 0.5, 1.2, 1.2]), torch.tensor([0.6, 0.6, 0.5, 0.5])
    targets = {layer: sizes for layer in made.box} | {layer: (0.5, 1.2) for layer in made.score}
    settle(made, lambda: made.levels(batch), targets | {layer: (0.0, 0.8) for layer in made.object})
    with torch.no_grad():
        rows = torch.cat([level.flatten(2) for level in made.levels(batch)], 2)
        best = rows[:, 5:].amax(1).sigmoid()
        shift = level_for(OBJECTS / rows.shape[2], SCORE, lambda value: (rows[:, 4] + value).sigmoid() * best)
    for layer in made.object:
        layer.bias += shift
    return made


def write(path: Path, decoded: bool) -> dict:
    section = {"name": "images", "channels": "bgr", "mean": [0, 0, 0], "std": [1, 1, 1], "geometry": "letterbox",
               "width": 320, "height": 320, "align": "top-left", "rounding": "down", "padding": 114}
    save(network(section, decoded), torch.zeros(1, 3, 320, 320), path, input_name="images", outputs=["output"])
    return {"name": path.stem, "decoder": "yolox", "input": section, "outputs": {"detections": "output"},
            "yolox": {"strides": list(STRIDES), "decoded": decoded, "iou_threshold": 0.45, "max_detections": 300},
            "thresholds": {"score": SCORE, "top_k": 300}, "labels": LABELS}


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters = card.get("yolox", {})
    rows = outputs["detections"][0].astype(np.float64)
    boxes = rows[:, :4].copy()
    if not parameters.get("decoded", False):
        first = 0
        for stride in parameters.get("strides", STRIDES):
            height, width = -(-where.input_height // stride), -(-where.input_width // stride)
            part = slice(first, first + height * width)
            cells = np.stack([np.tile(np.arange(width), height), np.repeat(np.arange(height), width)], 1)
            boxes[part, :2] = (boxes[part, :2] + cells) * stride
            boxes[part, 2:] = np.exp(boxes[part, 2:]) * stride
            first = part.stop
        assert first == len(rows), f"{len(rows)} anchors, the strides make {first}"
    boxes, chances = corners(boxes), rows[:, 4:5] * rows[:, 5:]
    labels, best = best_class(chances, threshold(card), ties)
    kept = np.flatnonzero(above(best, threshold(card), ties))
    kept = kept[suppressed(boxes[kept], best[kept], labels[kept], parameters.get("iou_threshold", 0.45), ties)]
    for limit in (parameters.get("max_detections", 300), most(card)):
        kept = kept[best_first(best[kept], limit, ties)]
    return [Instance(int(labels[i]), float(best[i]), box) for i, box in zip(kept, where.to_picture(boxes[kept]))]


def forms() -> list[Form]:
    return [Form("yolox", lambda path: write(path, False), reference, recognised=True),
            Form("yolox_decoded", lambda path: write(path, True), reference)]
