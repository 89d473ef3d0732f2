"""RTMDet-Ins in the form that mmdeploy writes: suppression and masks by dynamic kernels inside the graph.

Outputs `dets` [1, D, 5], `labels` [1, D] and `masks` [1, D, H, W] in 0..1 over the whole network input.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import instances, pictures
from .form import Form, save
from .parts import Backbone, ConvAct, Neck, level_for, settle

STRIDES = (8, 16, 32)
LABELS = ["person", "bicycle", "car", "dog"]
SCORE, OBJECTS, DETECTIONS = 0.3, 25, 30
CHANNELS = 8
KERNELS = ((CHANNELS + 2) * CHANNELS, CHANNELS, CHANNELS * CHANNELS, CHANNELS, CHANNELS, 1)
"""Weights and biases of the three 1x1 layers that make one object's mask."""


class Network(nn.Module):
    def __init__(self, width: int = 24):
        super().__init__()
        self.backbone = Backbone()
        self.neck = Neck(self.backbone.widths)

        def every(channels: int) -> nn.ModuleList:
            return nn.ModuleList(nn.Sequential(ConvAct(w, width, 3), nn.Conv2d(width, channels, 1))
                                 for w in self.backbone.widths)

        self.score, self.box, self.kernel = every(len(LABELS)), every(4), every(sum(KERNELS))
        self.feature = nn.Sequential(ConvAct(self.backbone.widths[0], width, 3), nn.Conv2d(width, CHANNELS, 1))

    def heads(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        levels = self.neck(self.backbone(x))
        rows = [torch.cat([head[level](feature) for head in (self.score, self.box, self.kernel)], 1)
                for level, feature in enumerate(levels)]
        return rows, self.feature(levels[0])

    def masks(self, kernels: Tensor, centres: Tensor, sizes: Tensor, feature: Tensor) -> Tensor:
        """Kernels [D, n], their anchors' centres [D, 2] and strides [D, 1]: maps [D, h, w]."""
        height, width = feature.shape[2:]
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        place = torch.stack([x, y]).flatten(1)[None].float() * STRIDES[0]
        relative = (centres[:, :, None] - place) / (sizes[:, :, None] * 8)
        values = torch.cat([relative, feature.flatten(2).expand(kernels.shape[0], -1, -1)], 1)
        w1, b1, w2, b2, w3, b3 = kernels.split(KERNELS, 1)
        values = (w1.unflatten(1, (CHANNELS, CHANNELS + 2)) @ values + b1[:, :, None]).relu()
        values = (w2.unflatten(1, (CHANNELS, CHANNELS)) @ values + b2[:, :, None]).relu()
        return (w3[:, None] @ values + b3[:, :, None]).unflatten(2, (height, width))[:, 0]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, feature = self.heads(x)
        boxes, centres, sizes = [], [], []
        for row, stride in zip(rows, STRIDES):
            v, u = torch.meshgrid(torch.arange(row.shape[2]), torch.arange(row.shape[3]), indexing="ij")
            centre = torch.stack([u, v], -1).flatten(0, 1).float() * stride
            distances = row[0, len(LABELS):len(LABELS) + 4].flatten(1).T.exp() * stride
            boxes.append(torch.cat([centre - distances[:, :2], centre + distances[:, 2:]], 1))
            centres.append(centre)
            sizes.append(torch.full((centre.shape[0], 1), float(stride)))
        flat = torch.cat([row.flatten(2) for row in rows], 2)[0].T
        scores, labels = flat[:, :len(LABELS)].sigmoid().max(1)
        box = torch.cat(boxes)
        apart = box + labels[:, None].float() * 4096
        kept = torch.ops.torchvision.nms(apart, scores, 0.6)[:DETECTIONS]
        maps = self.masks(flat[kept, len(LABELS) + 4:], torch.cat(centres)[kept], torch.cat(sizes)[kept], feature)
        maps = F.interpolate(maps[None], scale_factor=float(STRIDES[0]), mode="bilinear", align_corners=False)
        return torch.cat([box[kept], scores[kept, None]], 1)[None], labels[kept][None], maps.sigmoid()


def write(path: Path) -> dict:
    torch.manual_seed(22)
    section = {"name": "input", "channels": "bgr", "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395],
               "geometry": "letterbox", "width": 320, "height": 256, "align": "top-left", "padding": 114}
    made, batch = Network(), torch.cat(pictures.batch(section))
    targets = {head[-1]: (0.0, 0.8) for head in made.score} | {head[-1]: (0.5, 0.5) for head in made.box}
    settle(made, lambda: made.heads(batch), targets | {head[-1]: (0.0, 0.5) for head in made.kernel})
    with torch.no_grad():
        logits = torch.cat([row.flatten(2)[:, :len(LABELS)] for row in made.heads(batch)[0]], 2)
        level = level_for(OBJECTS / logits[0].numel(), SCORE, lambda shift: (logits + shift).sigmoid())
    for head in made.score:
        head[-1].bias += level
    names = ["dets", "labels", "masks"]
    save(made, batch[2:3], path, input_name="input", outputs=names,
         dynamic={name: {1: "detections"} for name in names})
    return {"name": path.stem, "decoder": "instances", "input": section, "outputs": {name: name for name in names},
            "instances": {"coordinates": "input", "masks": "input", "mask_threshold": 0.5},
            "thresholds": {"score": SCORE, "top_k": 100}, "labels": LABELS}


def forms() -> list[Form]:
    return [Form("rtmdet_ins", write, instances.reference, whole=True)]
