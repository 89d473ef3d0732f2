"""YOLO v5 and v8 (also 11): heads, the layouts that exporters write, and their decoding.

Semantics as ultralytics documents and publishes them; written from the method.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from . import masks
from .form import Outputs, most, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, best_class, best_first, sigmoid, softmax
from .parts import Backbone, ConvAct, Neck, level_for, settle, spread
from .suppression import suppressed

STRIDES = (8, 16, 32)
BINS = 16
OBJECTS, SCORE = 20, 0.25
"""The mean number of anchors that score above SCORE in a picture."""

ANCHORS = [[10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]


class Network(nn.Module):
    """Backbone, neck, and by level the head's layers; prototypes from the finest level."""

    def __init__(self, classes: int, coefficients: int = 0):
        super().__init__()
        self.classes, self.coefficients = classes, coefficients
        self.backbone = Backbone()
        self.widths = self.backbone.widths
        self.neck = Neck(self.widths)
        width = self.widths[0]
        if coefficients:
            self.proto = nn.Sequential(ConvAct(width, 16, 3), nn.ConvTranspose2d(16, 16, 2, 2), ConvAct(16, 16, 3),
                                       nn.Conv2d(16, coefficients, 1))

    def pyramid(self, x: Tensor) -> list[Tensor]:
        return self.neck(self.backbone(x))


class NetworkV8(Network):
    """Anchor-free: a distribution of the four distances, class logits, mask coefficients, each by its own branch."""

    def __init__(self, classes: int, coefficients: int = 0):
        super().__init__(classes, coefficients)

        def branch(channels: int) -> nn.ModuleList:
            return nn.ModuleList(nn.Sequential(ConvAct(w, 16, 3), ConvAct(16, 16, 3), nn.Conv2d(16, channels, 1))
                                 for w in self.widths)

        self.box, self.score = branch(4 * BINS), branch(classes)
        self.mask = branch(coefficients) if coefficients else None

    def targets(self) -> dict[nn.Module, tuple]:
        """Distances peak at 1-4 cells."""
        bins = -0.35 * (torch.arange(BINS) - 2.5).abs()
        result = {head[-1]: (bins.repeat(4), torch.full((4 * BINS,), 1.2)) for head in self.box}
        result |= {head[-1]: (0.0, 0.8) for head in self.score}
        if self.mask is not None:
            result |= {head[-1]: (0.0, 1.0) for head in self.mask}
        return result

    def balance(self, x: Tensor) -> None:
        """Lets OBJECTS anchors a picture be objects."""
        logits = torch.cat([level.flatten(2)[:, 4 * BINS:] for level in self.heads(x)[0]], 2).amax(1)
        level = level_for(OBJECTS / logits.shape[1], SCORE, lambda shift: (logits + shift).sigmoid())
        for head in self.score:
            head[-1].bias += level

    def heads(self, x: Tensor) -> tuple[list[Tensor], Tensor | None, Tensor | None]:
        """[N, 4 bins + C, h, w] by level, coefficients [N, K, A], prototypes [N, K, h, w]."""
        features = self.pyramid(x)
        levels = [torch.cat([box(f), score(f)], 1) for f, box, score in zip(features, self.box, self.score)]
        if self.mask is None:
            return levels, None, None
        coefficients = torch.cat([head(f).flatten(2) for f, head in zip(features, self.mask)], 2)
        return levels, coefficients, self.proto(features[0])


def grid(height: int, width: int, stride: int) -> Tensor:
    """Centres [2, cells] in pixels."""
    y, x = (torch.arange(extent, dtype=torch.float32) + 0.5 for extent in (height, width))
    y, x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([x, y]).flatten(1) * stride


class ExportV8(nn.Module):
    """layout: v8, end2end or v8-raw."""

    def __init__(self, network: NetworkV8, layout: str, detections: int = 60):
        super().__init__()
        self.network, self.layout, self.detections = network, layout, detections

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        levels, coefficients, proto = self.network.heads(x)
        if self.layout == "v8-raw":
            return tuple(levels) if proto is None else (*levels, coefficients, proto)
        parts = []
        for level, stride in zip(levels, STRIDES):
            centres = grid(level.shape[2], level.shape[3], stride)
            distribution, scores = level.flatten(2).split((4 * BINS, self.network.classes), 1)
            bins = torch.arange(BINS, dtype=torch.float32).view(1, 1, -1, 1)
            distances = (distribution.unflatten(1, (4, BINS)).softmax(2) * bins).sum(2)
            first, last = centres - distances[:, :2] * stride, centres + distances[:, 2:] * stride
            corners = (first, last) if self.layout == "end2end" else ((first + last) / 2, last - first)
            parts.append(torch.cat([*corners, scores.sigmoid()], 1))
        detections = torch.cat(parts, 2)
        if coefficients is not None:
            detections = torch.cat([detections, coefficients], 1)
        if self.layout == "end2end":
            detections = self.chosen(detections.transpose(1, 2))
        return (detections,) if proto is None else (detections, proto)

    def chosen(self, found: Tensor) -> Tensor:
        """The best (anchor, class) pairs, without suppression: [N, D, 6 (+ K)]."""
        classes = self.network.classes
        scores, order = found[..., 4:4 + classes].flatten(1).topk(self.detections)
        anchors, label = order // classes, order % classes
        rows = found.gather(1, anchors[..., None].expand(-1, -1, found.shape[-1]))
        return torch.cat([rows[..., :4], scores[..., None], label[..., None].float(), rows[..., 4 + classes:]], 2)


class NetworkV5(Network):
    """Three anchors a cell: [N, 3 (5 + C + K), h, w] by level."""

    def __init__(self, classes: int, coefficients: int = 0):
        super().__init__(classes, coefficients)
        self.values = 5 + classes + coefficients
        self.last = nn.ModuleList(nn.Conv2d(w, 3 * self.values, 1) for w in self.widths)

    def targets(self) -> dict[nn.Module, tuple]:
        parts = [(4, 0.0, 0.8), (1, 0.0, 0.8), (self.classes, 0.5, 1.2), (self.coefficients, 0.0, 1.0)] * 3
        return {layer: spread(parts) for layer in self.last}

    def balance(self, x: Tensor) -> None:
        """Lets OBJECTS anchors a picture be objects."""
        rows = torch.cat([level.flatten(1, 3) for level in self.heads(x)[0]], 1)
        best = rows[..., 5:5 + self.classes].amax(2).sigmoid()
        level = level_for(OBJECTS / rows.shape[1], SCORE, lambda shift: (rows[..., 4] + shift).sigmoid() * best)
        for layer in self.last:
            layer.bias.view(3, -1)[:, 4] += level

    def heads(self, x: Tensor) -> tuple[list[Tensor], Tensor | None]:
        features = self.pyramid(x)
        levels = [last(f).unflatten(1, (3, self.values)).permute(0, 1, 3, 4, 2) for f, last in zip(features, self.last)]
        return levels, self.proto(features[0]) if self.coefficients else None


class ExportV5(nn.Module):
    """layout: v5 or v5-raw."""

    def __init__(self, network: NetworkV5, layout: str):
        super().__init__()
        self.network, self.layout = network, layout

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        levels, proto = self.network.heads(x)
        if self.layout == "v5":
            parts = []
            for level, stride, anchors in zip(levels, STRIDES, ANCHORS):
                cells = (grid(level.shape[2], level.shape[3], stride) / stride - 0.5).view(2, *level.shape[2:4])
                xy = (level[..., :2].sigmoid() * 2 - 0.5 + cells.permute(1, 2, 0)) * stride
                wh = (level[..., 2:4].sigmoid() * 2) ** 2 * torch.tensor(anchors).view(1, 3, 1, 1, 2)
                scores = level[..., 4:5 + self.network.classes].sigmoid()
                parts.append(torch.cat([xy, wh, scores, level[..., 5 + self.network.classes:]], -1).flatten(1, 3))
            levels = [torch.cat(parts, 1)]
        return tuple(levels) if proto is None else (*levels, proto)


def settled(network: NetworkV5 | NetworkV8, inputs: list[Tensor]) -> NetworkV5 | NetworkV8:
    batch = torch.cat(inputs)
    settle(network, lambda: network.heads(batch), network.targets())
    with torch.no_grad():
        network.balance(batch)
    return network


def rows_v8_raw(outputs: Outputs, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners [A, 4] and class scores [A, C] of the raw heads."""
    boxes, scores = [], []
    for role in sorted((role for role in outputs if role.startswith("head_")), key=lambda role: int(role[5:])):
        head, stride = outputs[role][0], int(role[5:])
        _, height, width = head.shape
        flat = head.reshape(len(head), -1)
        bins = (len(head) - classes) // 4
        distances = (softmax(flat[:4 * bins].reshape(4, bins, -1), 1) * np.arange(bins)[:, None]).sum(1) * stride
        x, y = np.tile(np.arange(width), height) + 0.5, np.repeat(np.arange(height), width) + 0.5
        boxes.append(np.stack([x * stride - distances[0], y * stride - distances[1], x * stride + distances[2],
                               y * stride + distances[3]], 1))
        scores.append(sigmoid(flat[4 * bins:].T))
    return np.concatenate(boxes), np.concatenate(scores)


def rows_v5_raw(outputs: Outputs, anchors: list[list[float]]) -> np.ndarray:
    """[A, 5 + C + K] with boxes in pixels and scores in 0..1 of the raw heads; the other values as they are."""
    rows = []
    roles = sorted((role for role in outputs if role.startswith("head_")), key=lambda role: int(role[5:]))
    for role, sizes in zip(roles, anchors, strict=True):
        head, stride = outputs[role][0].astype(np.float64), int(role[5:])
        for anchor, (w, h) in zip(head, np.reshape(sizes, (-1, 2)), strict=True):
            height, width, _ = anchor.shape
            cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
            xy = (2 * sigmoid(anchor[..., :2]) - 0.5 + cells) * stride
            wh = (2 * sigmoid(anchor[..., 2:4])) ** 2 * [w, h]
            rows.append(np.concatenate([xy, wh, anchor[..., 4:]], -1).reshape(-1, anchor.shape[-1]))
    return np.concatenate(rows)


def corners(boxes: np.ndarray) -> np.ndarray:
    """x1 y1 x2 y2 of cx cy w h."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], 1)


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters, classes, limit = card["yolo"], len(card["labels"]), threshold(card)
    layout, proto = parameters["layout"], outputs.get("proto")
    coefficients = None
    if layout == "end2end":
        rows = outputs["detections"][0].astype(np.float64)
        boxes, best, labels, coefficients = rows[:, :4], rows[:, 4], rows[:, 5].astype(int), rows[:, 6:]
    else:
        if layout == "v8-raw":
            boxes, scores = rows_v8_raw(outputs, classes)
            coefficients = outputs["coefficients"][0].T if proto is not None else None
        elif layout == "v8":
            rows = outputs["detections"][0].T.astype(np.float64)
            boxes, scores, coefficients = corners(rows[:, :4]), rows[:, 4:4 + classes], rows[:, 4 + classes:]
        else:
            raw = layout == "v5-raw"
            rows = rows_v5_raw(outputs, parameters["anchors"]) if raw else outputs["detections"][0].astype(np.float64)
            chances = sigmoid(rows[:, 4:5 + classes]) if raw else rows[:, 4:5 + classes]
            boxes, scores, coefficients = corners(rows[:, :4]), chances[:, :1] * chances[:, 1:], rows[:, 5 + classes:]
        labels, best = best_class(scores, limit, ties)
    kept = np.flatnonzero(above(best, limit, ties))
    if layout != "end2end":
        kept = kept[suppressed(boxes[kept], best[kept], labels[kept], parameters.get("iou_threshold", 0.7), ties)]
    kept = kept[best_first(best[kept], parameters.get("max_detections", 300), ties)]
    kept = kept[best_first(best[kept], most(card), ties)]
    placed = where.to_picture(boxes[kept])
    found = [Instance(int(labels[i]), float(best[i]), box) for i, box in zip(kept, placed)]
    if proto is not None and found:
        maps = np.tensordot(coefficients[kept].astype(np.float64), proto[0].astype(np.float64), 1)
        shapes = masks.cropped(masks.to_picture(maps, where) > 0, placed)
        for instance, mask in zip(found, shapes):
            instance.mask = mask
    return found


