"""Mask2Former: queries that attend within their own masks, classes with "no object", masks without boxes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import masks, pictures
from .detr import IMAGENET, LABELS, QUERIES, WIDTH, Layer, pairs, positions
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import NEAR, Instance, Ties, above, best_first, sigmoid, softmax
from .parts import Backbone, ConvAct, level_for, settle

SCORE = 0.3


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone(act=nn.ReLU, four=True)
        self.lateral = nn.ModuleList(nn.Conv2d(w, WIDTH, 1) for w in self.backbone.widths)
        self.smooth = nn.ModuleList(ConvAct(WIDTH, WIDTH, 3, act=nn.ReLU) for _ in self.backbone.widths)
        self.pixel = nn.Conv2d(WIDTH, WIDTH, 1)
        self.layers = nn.ModuleList(Layer(True) for _ in range(3))
        self.queries, self.start = (nn.Parameter(torch.randn(1, QUERIES, WIDTH)) for _ in range(2))
        self.norm = nn.LayerNorm(WIDTH)
        self.score = nn.Linear(WIDTH, len(LABELS) + 1)
        self.embed = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))

    def predicted(self, queries: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
        queries = self.norm(queries)
        maps = torch.einsum("nqc,nchw->nqhw", self.embed(queries), pixels) / math.sqrt(WIDTH) * 2 - 1.0
        return self.score(queries), maps

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = [layer(f) for layer, f in zip(self.lateral, self.backbone(x))]
        for level in (2, 1, 0):
            features[level] = self.smooth[level](features[level] + F.interpolate(
                features[level + 1], scale_factor=2, mode="nearest"))
        pixels = self.pixel(features[0])
        queries = self.start.expand(x.shape[0], -1, -1)
        _, maps = self.predicted(queries, pixels)
        for layer, feature in zip(self.layers, features[:0:-1]):
            seen = F.interpolate(maps, size=feature.shape[2:], mode="bilinear", align_corners=False).flatten(2)
            memory = feature.flatten(2).transpose(1, 2)
            queries = layer(queries, self.queries, memory, positions(*feature.shape[2:])[None], seen < 0)
            logits, maps = self.predicted(queries, pixels)
        return logits, maps


def write(path: Path) -> dict:
    torch.manual_seed(19)
    section = {"name": "pixel_values", "channels": "rgb", **IMAGENET, "geometry": "stretch", "width": 256,
               "height": 224}
    made, batch = Network(), torch.cat(pictures.batch(section))
    settle(made, lambda: made(batch), {made.score: (0.0, 2.0)})
    with torch.no_grad():
        logits = made(batch)[0]
        level = level_for(0.5, 0.5, lambda shift: torch.cat([logits[..., :-1] + shift, logits[..., -1:]], -1)
                          .softmax(-1)[..., :-1].amax(-1))
    made.score.bias[-1] -= level
    outputs = {"logits": "class_queries_logits", "masks": "masks_queries_logits"}
    save(made, torch.zeros(1, 3, 224, 256), path, input_name="pixel_values", outputs=list(outputs.values()))
    return {"name": path.stem, "decoder": "mask2former", "input": section, "outputs": outputs,
            "mask2former": {"max_detections": 60}, "thresholds": {"score": SCORE, "top_k": 40}, "labels": LABELS}


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    chances = softmax(outputs["logits"][0])[:, :-1]
    queries, labels, best = pairs(chances, card.get("mask2former", {}).get("max_detections", 100), ties)
    maps = outputs["masks"][0][queries]
    inside = maps > 0
    totals = (sigmoid(maps) * inside).sum((1, 2))
    scores = best * totals / np.maximum(inside.sum((1, 2)), 1)
    for index in np.flatnonzero(np.abs(maps).reshape(len(maps), -1).min(1) < NEAR * 0.01):
        ties.add("cut", scores[index])
    kept = np.flatnonzero(above(scores, threshold(card), ties))
    shown = masks.to_picture(maps[kept], where) > 0
    some = shown.any((1, 2))
    kept, shown = kept[some], shown[some]
    order = best_first(scores[kept], most(card), ties)
    return [Instance(int(labels[kept[i]]), float(scores[kept[i]]), masks.bounds(shown[i]), shown[i]) for i in order]


def forms() -> list[Form]:
    return [Form("mask2former", write, reference)]
