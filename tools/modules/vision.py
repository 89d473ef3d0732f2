"""Sampling by grids, deformable convolution, regions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules import vision_operators  # noqa: F401
from modules.form import Form, floats, function, layer


class Deformable(nn.Module):
    def __init__(self, groups: int, masked: bool):
        super().__init__()
        self.weight = nn.Parameter(floats(4, 4 // groups, 3, 3) / 4)
        self.bias = nn.Parameter(floats(4))
        self.groups, self.masked = groups, masked

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor) -> Tensor:
        return torch.ops.torchvision.deform_conv2d(x, self.weight, offset, mask, self.bias, 1, 1, 1, 1, 1, 1,
                                                   self.groups, 1, self.masked)


def boxes(count: int, extent: float) -> Tensor:
    corners = torch.rand(count, 2) * extent * 0.6
    return torch.cat([corners, corners + 1 + torch.rand(count, 2) * extent * 0.35], 1)


def forms() -> list[Form]:
    torch.manual_seed(5)
    picture, grid = floats(2, 3, 7, 9), floats(2, 5, 6, 2) * 0.8
    result = []
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            corners = padding == "border"
            result.append(function(
                f"grid_sample_{mode}_{padding}",
                lambda x, g, m=mode, p=padding, c=corners: F.grid_sample(x, g, mode=m, padding_mode=p, align_corners=c),
                picture, grid))
    result += [
        function("grid_sample_3d", lambda x, g: F.grid_sample(x, g, align_corners=False), floats(1, 2, 4, 5, 6),
                 floats(1, 3, 4, 5, 3), opset=20),
        function("affine_grid", lambda t: F.affine_grid(t, [2, 3, 5, 6], align_corners=False), floats(2, 2, 3),
                 opset=20),
        layer("deform_conv", lambda: Deformable(1, True), floats(2, 4, 6, 7), floats(2, 18, 6, 7), floats(2, 9, 6, 7),
              opset=19),
        layer("deform_conv_groups", lambda: Deformable(2, False), floats(1, 4, 6, 7), floats(1, 18, 6, 7),
              floats(1, 9, 6, 7), opset=19),
        function("nms", lambda b, s: torch.ops.torchvision.nms(b, s, 0.3), boxes(30, 20.0), torch.rand(30)),
        function("roi_align", lambda x, r: torch.ops.torchvision.roi_align(x, r, 0.5, 3, 4, 2, False),
                 floats(1, 3, 14, 14), torch.cat([torch.zeros(5, 1), boxes(5, 24.0)], 1)),
        function("roi_align_aligned", lambda x, r: torch.ops.torchvision.roi_align(x, r, 1.0, 2, 2, 3, True),
                 floats(2, 3, 14, 14), torch.cat([torch.tensor([[0.0], [1], [1], [0]]), boxes(4, 12.0)], 1)),
    ]
    return result
