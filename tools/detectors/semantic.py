"""Semantic segmentation: one map a class; every class present is one instance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import masks, pictures
from .detr import IMAGENET
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, best_first, softmax
from .parts import Backbone, ConvAct, settle

LABELS = ["sky", "road", "tree", "building", "water", "person", "animal", "grass"]


class Network(nn.Module):
    """Atrous convolutions over the last feature (DeepLab), joined with the finest; logits at a quarter or full size."""

    def __init__(self, classes: int, full: bool):
        super().__init__()
        self.full = full
        self.backbone = Backbone(act=nn.ReLU, four=True)
        fine, coarse = self.backbone.widths[0], self.backbone.widths[-1]
        self.branches = nn.ModuleList(nn.Conv2d(coarse, 16, 3, padding=rate, dilation=rate) for rate in (1, 2, 4))
        self.pooled = nn.Conv2d(coarse, 16, 1)
        self.joined, self.fine = ConvAct(64, 32, act=nn.ReLU), nn.Conv2d(fine, 16, 1)
        self.last = nn.Sequential(ConvAct(48, 32, 3, act=nn.ReLU), nn.Conv2d(32, classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        features = self.backbone(x)
        last = features[-1]
        parts = [branch(last).relu() for branch in self.branches]
        parts.append(self.pooled(last.mean((2, 3), keepdim=True)).relu().expand(-1, -1, *last.shape[2:]))
        coarse = F.interpolate(self.joined(torch.cat(parts, 1)), size=features[0].shape[2:], mode="bilinear",
                               align_corners=False)
        logits = self.last(torch.cat([coarse, self.fine(features[0])], 1))
        return F.interpolate(logits, size=x.shape[2:], mode="bilinear", align_corners=False) if self.full else logits


def write(path: Path, full: bool, background: int | None, geometry: dict) -> dict:
    torch.manual_seed(20)
    labels = LABELS if background is None else ["background", *LABELS]
    section = {"name": "input", "channels": "rgb", **IMAGENET, **geometry}
    made, batch = Network(len(labels), full), torch.cat(pictures.batch(section))
    settle(made, lambda: made(batch), {made.last[-1]: (0.0, 2.0)})
    save(made, torch.zeros(1, 3, section["height"], section["width"]), path, input_name="input", outputs=["out"])
    parameters = {} if background is None else {"background": background}
    return {"name": path.stem, "decoder": "semantic", "input": section, "outputs": {"logits": "out"},
            "semantic": parameters, "thresholds": {"score": 0.0, "top_k": 100}, "labels": labels}


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    logits = masks.to_picture(outputs["logits"][0], where)
    chances, winner = softmax(logits, 0), logits.argmax(0)
    background = card.get("semantic", {}).get("background")
    labels = np.array([label for label in np.unique(winner) if label != background], np.int64)
    shown = winner[None] == labels[:, None, None]
    scores = np.array([chances[label][mask].mean() for label, mask in zip(labels, shown)])
    kept = np.flatnonzero(above(scores, threshold(card), ties))
    kept = kept[best_first(scores[kept], most(card), ties)]
    return [Instance(int(labels[i]), float(scores[i]), masks.bounds(shown[i]), shown[i]) for i in kept]


def forms() -> list[Form]:
    return [
        Form("semantic", lambda path: write(path, True, None, {"geometry": "stretch", "width": 256, "height": 192}),
             reference, recognised=True),
        Form("semantic_quarter", lambda path: write(path, False, 0, {
            "geometry": "letterbox", "width": 256, "height": 256, "padding": 0}), reference),
    ]
