"""NanoDet: a light pyramid, sigmoid class scores and distributions of the four distances by stride."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import pictures
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, best_first, softmax
from .parts import Backbone, ConvAct, level_for, settle, spread
from .suppression import suppressed

STRIDES = (8, 16, 32)
BINS = 8
LABELS = ["person", "bicycle", "car", "dog", "sheep"]
SCORE, OBJECTS = 0.35, 25


class Network(nn.Module):
    """One depthwise head a level over a pyramid of equal widths; layout: split (two outputs a level) or joined."""

    def __init__(self, layout: str, width: int = 24):
        super().__init__()
        self.layout = layout
        self.backbone = Backbone(act=nn.LeakyReLU)
        self.lateral = nn.ModuleList(nn.Conv2d(w, width, 1) for w in self.backbone.widths)
        self.heads = nn.ModuleList(nn.Sequential(
            ConvAct(width, width, 3, act=nn.LeakyReLU, groups=width), ConvAct(width, width, act=nn.LeakyReLU))
            for _ in STRIDES)
        self.last = nn.ModuleList(nn.Conv2d(width, len(LABELS) + 4 * BINS, 1) for _ in STRIDES)

    def levels(self, x: Tensor) -> list[Tensor]:
        """[N, cells, C + 4 bins] by stride, logits."""
        features = [layer(f) for layer, f in zip(self.lateral, self.backbone(x))]
        for level in (1, 0):
            features[level] = features[level] + nn.functional.interpolate(
                features[level + 1], scale_factor=2, mode="bilinear", align_corners=False)
        return [last(head(f)).flatten(2).transpose(1, 2) for f, head, last in zip(features, self.heads, self.last)]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        parts = [level.split((len(LABELS), 4 * BINS), 2) for level in self.levels(x)]
        if self.layout == "split":
            return tuple(part for scores, boxes in parts for part in (scores.sigmoid(), boxes))
        return (torch.cat([torch.cat([scores.sigmoid(), boxes], 2) for scores, boxes in parts], 1),)


def network(section: dict, layout: str) -> Network:
    torch.manual_seed(12)
    made, batch = Network(layout), torch.cat(pictures.batch(section))
    bins = (-0.35 * (torch.arange(BINS) - 2.0).abs()).repeat(4)
    mean, deviation = spread([(len(LABELS), 0.0, 0.8), (4 * BINS, 0.0, 1.2)])
    mean[len(LABELS):] = bins
    settle(made, lambda: made.levels(batch), {layer: (mean, deviation) for layer in made.last})
    with torch.no_grad():
        logits = torch.cat([level[..., :len(LABELS)] for level in made.levels(batch)], 1)
        shift = level_for(OBJECTS / logits[0].numel(), SCORE, lambda value: (logits + value).sigmoid())
    for layer in made.last:
        layer.bias[:len(LABELS)] += shift
    return made


def write(path: Path, layout: str, offset: float, geometry: dict) -> dict:
    section = {"name": "data", "channels": "bgr", "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395],
               **geometry}
    if layout == "split":
        outputs = {f"{kind}_{stride}": f"{name}_stride_{stride}"
                   for stride in STRIDES for kind, name in (("scores", "cls_pred"), ("boxes", "dis_pred"))}
    else:
        outputs = {"detections": "output"}
    save(network(section, layout), torch.zeros(1, 3, section["height"], section["width"]), path, input_name="data",
         outputs=list(outputs.values()))
    parameters = {"center_offset": offset, "iou_threshold": 0.6, "max_detections": 100}
    if layout == "joined":
        parameters["strides"] = list(STRIDES)
    return {"name": path.stem, "decoder": "nanodet", "input": section, "outputs": outputs, "nanodet": parameters,
            "thresholds": {"score": SCORE, "top_k": 100}, "labels": LABELS}


def levels_of(outputs: Outputs, where: Placement, parameters: dict, classes: int):
    """(stride, scores [cells, C], distributions [cells, 4 bins]) by stride."""
    if "detections" not in outputs:
        for stride in sorted(int(role[7:]) for role in outputs if role.startswith("scores_")):
            yield stride, outputs[f"scores_{stride}"][0], outputs[f"boxes_{stride}"][0]
        return
    rows, first = outputs["detections"][0], 0
    for stride in parameters["strides"]:
        count = -(-where.input_height // stride) * -(-where.input_width // stride)
        yield stride, rows[first:first + count, :classes], rows[first:first + count, classes:]
        first += count
    assert first == len(rows), f"{len(rows)} anchors, the strides make {first}"


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters, classes = card.get("nanodet", {}), len(card["labels"])
    offset = parameters.get("center_offset", 0.5)
    boxes, scores, labels = [], [], []
    for stride, chances, distributions in levels_of(outputs, where, parameters, classes):
        flat = chances.astype(np.float64).ravel()
        kept = np.flatnonzero(above(flat, threshold(card), ties))
        kept = kept[best_first(flat[kept], parameters.get("candidates_per_level", 1000), ties)]
        cells, label = kept // classes, kept % classes
        bins = distributions.shape[1] // 4
        distances = (softmax(distributions[cells].reshape(-1, 4, bins)) * np.arange(bins)).sum(2) * stride
        columns = -(-where.input_width // stride)
        x, y = (cells % columns + offset) * stride, (cells // columns + offset) * stride
        boxes.append(np.stack([x - distances[:, 0], y - distances[:, 1], x + distances[:, 2], y + distances[:, 3]], 1))
        scores.append(flat[kept])
        labels.append(label)
    box, score, label = np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)
    box = np.clip(box, 0, np.array([where.input_width, where.input_height] * 2))
    kept = suppressed(box, score, label, parameters.get("iou_threshold", 0.6), ties)
    for limit in (parameters.get("max_detections", 100), most(card)):
        kept = kept[best_first(score[kept], limit, ties)]
    return [Instance(int(label[i]), float(score[i]), placed) for i, placed in zip(kept, where.to_picture(box[kept]))]


def forms() -> list[Form]:
    wide = {"geometry": "letterbox", "width": 320, "height": 256, "align": "top-left", "padding": 0,
            "rounding": "down"}
    return [
        Form("nanodet_split", lambda path: write(path, "split", 0.5, {
            "geometry": "letterbox", "width": 320, "height": 320, "padding": 0}), reference, recognised=True),
        Form("nanodet_joined", lambda path: write(path, "joined", 0.0, wide), reference),
    ]
