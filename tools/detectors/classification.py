"""Classification: the classes of the whole picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import pictures
from .detr import IMAGENET
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, activated, best_first
from .parts import Backbone, settle
from .yolo_forms import metadata

LABELS = ["sheep", "bear", "dog", "street", "beach", "kitchen", "meadow", "forest"]


class Network(nn.Module):
    def __init__(self, activation: str | None):
        super().__init__()
        self.activation = activation
        self.backbone = Backbone()
        self.last = nn.Linear(self.backbone.widths[-1], len(LABELS))

    def forward(self, x: Tensor) -> Tensor:
        logits = self.last(self.backbone(x)[-1].mean((2, 3)))
        return logits if self.activation is None else logits.softmax(1)


def write(path: Path, activation: str, section: dict, task: bool) -> dict:
    torch.manual_seed(21)
    made, batch = Network("softmax" if activation == "none" else None), torch.cat(pictures.batch(section))
    settle(made, lambda: made(batch), {made.last: (0.0, 1.5)})
    save(made, torch.zeros(1, 3, section["height"], section["width"]), path, input_name=section["name"],
         outputs=["output0"], metadata=metadata("classify", section["width"], LABELS) if task else None)
    return {"name": path.stem, "decoder": "classification", "input": section, "outputs": {"logits": "output0"},
            "classification": {"activation": activation}, "thresholds": {"score": 0.0, "top_k": 5}, "labels": LABELS}


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    scores = activated(outputs["logits"][0], card.get("classification", {}).get("activation", "softmax"))
    kept = np.flatnonzero(above(scores, threshold(card), ties))
    kept = kept[best_first(scores[kept], most(card) or 5, ties)]
    box = np.array([0, 0, where.width, where.height], np.float64)
    return [Instance(int(i), float(scores[i]), box) for i in kept]


def forms() -> list[Form]:
    crop = {"geometry": "center-crop", "width": 192, "height": 192}
    imagenet = {"name": "input", "channels": "rgb", **IMAGENET, **crop, "short_side": 220}
    plain = {"name": "images", "channels": "rgb", "mean": [0, 0, 0], "std": [255, 255, 255], **crop, "short_side": 192}
    return [Form("classification", lambda path: write(path, "softmax", imagenet, False), reference, recognised=True),
            Form("classification_sigmoid", lambda path: write(path, "sigmoid", imagenet, False), reference),
            Form("yolo_classify", lambda path: write(path, "none", plain, True), reference, recognised=True)]
