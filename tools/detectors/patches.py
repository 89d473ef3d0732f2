"""Instances with one mask patch a box, and boxes relative to the input: the other forms of `instances`.

Mask R-CNN as other tools export it (patches left to be pasted), and heads that give centres and logits.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import instances, pictures
from .detr import IMAGENET, LABELS
from .form import Form, save
from .parts import Backbone, settle

CELLS, PATCH = 6, 14


class Network(nn.Module):
    """One object a cell of a coarse grid; a patch cut from upsampled features at the cell."""

    def __init__(self, relative: bool):
        super().__init__()
        self.relative = relative
        self.backbone = Backbone(act=nn.ReLU)
        width = self.backbone.widths[-1]
        self.score, self.box = nn.Conv2d(width, len(LABELS), 1), nn.Conv2d(width, 4, 1)
        self.patch = nn.Conv2d(width, PATCH * PATCH // 4, 1)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        feature = F.adaptive_avg_pool2d(self.backbone(x)[-1], CELLS)
        return self.score(feature), self.box(feature), self.patch(feature)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        scores, boxes, patches = (head.flatten(2)[0].T for head in self.heads(x))
        best, labels = scores.sigmoid().max(1)
        place = (torch.stack(torch.meshgrid(torch.arange(CELLS), torch.arange(CELLS), indexing="xy"), -1)
                 .flatten(0, 1) + 0.5) / CELLS
        centre, size = place + boxes[:, :2] * 0.1, boxes[:, 2:].sigmoid() * 0.6
        maps = F.interpolate(patches.unflatten(1, (1, PATCH // 2, PATCH // 2)), scale_factor=2.0, mode="bilinear",
                             align_corners=False)
        if self.relative:
            return torch.cat([centre, size], 1), best, labels, maps[:, 0]
        extent = torch.tensor([x.shape[3], x.shape[2]])
        corners = torch.cat([centre - size / 2, centre + size / 2], 1) * extent.repeat(2)
        return corners, best, labels, maps.sigmoid()


def write(path: Path, relative: bool) -> dict:
    torch.manual_seed(23)
    geometry = {"geometry": "keep-ratio", "short_side": 192, "long_side": 192, "stride": 192} if not relative else {
        "geometry": "stretch", "width": 192, "height": 192}
    section = {"name": "input", "channels": "rgb", **IMAGENET, **geometry}
    made, batch = Network(relative), torch.cat(pictures.batch(section))
    settle(made, lambda: made.heads(batch), {made.score: (-2.0, 1.0), made.patch: (0.3, 1.5)})
    names = ["boxes", "scores", "labels", "masks"]
    save(made, batch[:1], path, input_name="input", outputs=names)
    parameters = {"masks": "box", "mask_threshold": 0.5}
    if relative:
        parameters |= {"coordinates": "relative", "corners": "cxcywh", "mask_activation": "sigmoid"}
    return {"name": path.stem, "decoder": "instances", "input": section, "outputs": {name: name for name in names},
            "instances": parameters, "thresholds": {"score": 0.3, "top_k": 30}, "labels": LABELS}


def forms() -> list[Form]:
    return [Form("patches", lambda path: write(path, False), instances.reference),
            Form("patches_relative", lambda path: write(path, True), instances.reference)]
