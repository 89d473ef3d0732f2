"""DETR: set prediction by a transformer, with masks where asked for; softmax, or sigmoid as its successors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import masks, pictures
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, activated, best_class, best_first
from .parts import Backbone, ConvAct, level_for, settle
from .yolo import corners

LABELS = ["person", "bicycle", "car", "dog", "kite", "bench"]
QUERIES, WIDTH, SCORE = 30, 32, 0.35
IMAGENET = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}


def positions(height: int, width: int) -> Tensor:
    """Sines of the place [cells, WIDTH]."""
    y, x = torch.meshgrid((torch.arange(height) + 1) / height, (torch.arange(width) + 1) / width, indexing="ij")
    powers = 1e4 ** (torch.arange(WIDTH // 4) * 4 / WIDTH)
    angles = torch.stack([y, x], -1).flatten(0, 1)[..., None] * 2 * math.pi / powers
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(1)


class Attention(nn.Module):
    """Attention with its own projections, so that each of them can be settled; heads of eight channels."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.last = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor, y: Tensor, values: Tensor, blocked: Tensor | None = None) -> Tensor:
        q, k, v = (layer(t).unflatten(2, (-1, 8)).transpose(1, 2)
                   for layer, t in ((self.query, x), (self.key, y), (self.value, values)))
        logits = q @ k.transpose(2, 3) / math.sqrt(8)
        if blocked is not None:
            logits = logits.masked_fill(blocked[:, None], -1e4)
        return self.last((logits.softmax(3) @ v).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, crossing: bool):
        super().__init__()
        self.own = Attention()
        self.cross = Attention() if crossing else None
        self.inner = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))

    def forward(self, x: Tensor, place: Tensor, memory: Tensor | None = None, memory_place: Tensor | None = None,
                blocked: Tensor | None = None) -> Tensor:
        if self.cross is not None:
            x = self.norms[2](x + self.cross(x + place, memory + memory_place, memory, blocked))
        x = self.norms[0](x + self.own(x + place, x + place, x))
        return self.norms[1](x + self.inner(x))


class Network(nn.Module):
    def __init__(self, classes: int, masked: bool):
        super().__init__()
        self.masked = masked
        self.backbone = Backbone(act=nn.ReLU, four=True)
        self.project = nn.Conv2d(self.backbone.widths[-1], WIDTH, 1)
        self.encoder = nn.ModuleList(Layer(False) for _ in range(2))
        self.decoder = nn.ModuleList(Layer(True) for _ in range(2))
        self.queries = nn.Parameter(torch.randn(1, QUERIES, WIDTH))
        self.score = nn.Linear(WIDTH, classes)
        self.box = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 4))
        if masked:
            self.embed = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
            self.pixel = nn.ModuleList(nn.Conv2d(w, WIDTH, 1) for w in self.backbone.widths[:3])
            self.smooth = ConvAct(WIDTH, WIDTH, 3, act=nn.ReLU)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = self.backbone(x)
        last = self.project(features[-1])
        place = positions(last.shape[2], last.shape[3])[None]
        memory = last.flatten(2).transpose(1, 2)
        for layer in self.encoder:
            memory = layer(memory, place)
        queries = torch.zeros_like(self.queries).expand(x.shape[0], -1, -1)
        for layer in self.decoder:
            queries = layer(queries, self.queries, memory, place)
        result = self.score(queries), self.box(queries).sigmoid()
        if not self.masked:
            return result
        pixels = memory.transpose(1, 2).unflatten(2, last.shape[2:])
        for feature, layer in zip(features[2::-1], list(self.pixel)[::-1]):
            pixels = layer(feature) + F.interpolate(pixels, size=feature.shape[2:], mode="nearest")
        maps = torch.einsum("nqc,nchw->nqhw", self.embed(queries), self.smooth(pixels)) / math.sqrt(WIDTH)
        return *result, maps


def network(section: dict, activation: str, masked: bool) -> Network:
    torch.manual_seed(18)
    soft = activation == "softmax"
    made = Network(len(LABELS) + soft, masked)
    batch = pictures.batch(section | {"geometry": "stretch", "width": 256, "height": 256})
    settle(made, lambda: made(torch.cat(batch)), {
        made.score: (0.0, 1.5),
        made.box[-1]: (torch.tensor([0.0, 0.0, -1.0, -1.0]), torch.tensor([1.2, 1.2, 0.8, 0.8]))})
    with torch.no_grad():
        logits = made(torch.cat(batch))[0]
        if soft:
            level = level_for(0.4, SCORE, lambda shift: torch.cat([logits[..., :-1] + shift, logits[..., -1:]], -1)
                              .softmax(-1)[..., :-1].amax(-1))
            made.score.bias[-1] -= level
        else:
            made.score.bias += level_for(0.1, SCORE, lambda shift: (logits + shift).sigmoid())
    return made


def write(path: Path, activation: str = "softmax", masked: bool = False, geometry: dict | None = None) -> dict:
    section = {"name": "pixel_values", "channels": "rgb", **IMAGENET,
               **(geometry or {"geometry": "stretch", "width": 256, "height": 256})}
    outputs = {"logits": "logits", "boxes": "pred_boxes", **({"masks": "pred_masks"} if masked else {})}
    axes = {"pixel_values": {2: "height", 3: "width"}}
    if masked:
        axes["pred_masks"] = {2: "mask_height", 3: "mask_width"}
    save(network(section, activation, masked), torch.zeros(1, 3, 256, 224 if geometry else 256), path,
         input_name="pixel_values", outputs=list(outputs.values()), dynamic=axes if geometry else None)
    return {"name": path.stem, "decoder": "detr", "input": section, "outputs": outputs,
            "detr": {"activation": activation, "max_detections": 100 if activation == "softmax" else 25},
            "thresholds": {"score": SCORE, "top_k": 100}, "labels": LABELS}


def pairs(scores: np.ndarray, limit: int, ties: Ties) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best (query, class) pairs of [Q, C]: queries, classes, scores."""
    flat = scores.ravel()
    best = best_first(flat, limit, ties)
    return best // scores.shape[1], best % scores.shape[1], flat[best]


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters, limit = card.get("detr", {}), threshold(card)
    activation, detections = parameters.get("activation", "softmax"), parameters.get("max_detections", 100)
    scores = activated(outputs["logits"][0], activation)
    if activation == "softmax":
        labels, best = best_class(scores[:, :-1], limit, ties)
        queries = best_first(best, detections, ties)
        labels, best = labels[queries], best[queries]
    else:
        queries, labels, best = pairs(scores, detections, ties)
    kept = np.flatnonzero(above(best, limit, ties))
    kept = kept[best_first(best[kept], most(card), ties)]
    boxes = corners(outputs["boxes"][0].astype(np.float64)) * ([where.scaled_width, where.scaled_height] * 2)
    placed = where.to_picture(boxes[queries[kept]] + [where.left, where.top] * 2)
    found = [Instance(int(labels[i]), float(best[i]), box) for i, box in zip(kept, placed)]
    if "masks" in outputs and found:
        shown = masks.to_picture(outputs["masks"][0][queries[kept]], where) > 0
        for instance, mask in zip(found, shown):
            instance.mask = mask
    return found


def forms() -> list[Form]:
    ratio = {"geometry": "keep-ratio", "short_side": 224, "long_side": 320}
    return [Form("detr", write, reference, recognised=True),
            Form("detr_keep_ratio", lambda path: write(path, geometry=ratio), reference),
            Form("detr_segment", lambda path: write(path, masked=True), reference),
            Form("detr_segment_keep_ratio", lambda path: write(path, masked=True, geometry=ratio), reference),
            Form("detr_sigmoid", lambda path: write(path, "sigmoid"), reference)]
