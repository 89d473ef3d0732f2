"""torchvision's region operators in plain PyTorch, for a torch that cannot load torchvision's library.

They are registered under torchvision's own names, so that both exporters write the ONNX operators they know for them.
"""

from __future__ import annotations

import torch
import torchvision_cpu  # noqa: F401  (registers the schema of nms, which importing torchvision needs)
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import _register_onnx_ops

SCHEMAS = (
    "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
    "int sampling_ratio, bool aligned) -> Tensor",
    "deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, SymInt stride_h, "
    "SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, SymInt groups, "
    "SymInt offset_groups, bool use_mask) -> Tensor",
)
_library = torch.library.Library("torchvision", "FRAGMENT")


def sampled(picture: Tensor, y: Tensor, x: Tensor, outside: str) -> Tensor:
    """`picture` [C, H, W] at fractional places, between pixel centres; `outside`: zeros or border."""
    height, width = picture.shape[-2:]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1).reshape(1, 1, -1, 2)
    return F.grid_sample(picture[None], grid, padding_mode=outside, align_corners=False)[0, :, 0].unflatten(1, y.shape)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    kept: list[int] = []
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    for index in scores.argsort(descending=True, stable=True).tolist():
        first = torch.maximum(boxes[kept, :2], boxes[index, :2])
        common = (torch.minimum(boxes[kept, 2:], boxes[index, 2:]) - first).clamp(min=0).prod(1)
        if not (common > iou_threshold * (areas[kept] + areas[index] - common)).any():
            kept.append(index)
    return torch.tensor(kept, dtype=torch.int64)


def roi_align(picture: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int,
              sampling_ratio: int, aligned: bool) -> Tensor:
    """With a fixed number of samples; regions must lie within one pixel of the picture."""
    results = []
    for roi in rois:
        x1, y1, x2, y2 = roi[1:] * spatial_scale - (0.5 if aligned else 0.0)
        height, width = (y2 - y1, x2 - x1) if aligned else ((y2 - y1).clamp(min=1), (x2 - x1).clamp(min=1))
        y = y1 + (torch.arange(pooled_height * sampling_ratio) + 0.5) * height / (pooled_height * sampling_ratio)
        x = x1 + (torch.arange(pooled_width * sampling_ratio) + 0.5) * width / (pooled_width * sampling_ratio)
        found = sampled(picture[int(roi[0])], *torch.meshgrid(y, x, indexing="ij"), outside="border")
        results.append(F.avg_pool2d(found, sampling_ratio))
    return torch.stack(results) if results else picture.new_zeros(0, picture.shape[1], pooled_height, pooled_width)


def deform_conv2d(picture: Tensor, weight: Tensor, offset: Tensor, mask: Tensor, bias: Tensor, stride_h: int,
                  stride_w: int, pad_h: int, pad_w: int, dilation_h: int, dilation_w: int, groups: int,
                  offset_groups: int, use_mask: bool) -> Tensor:
    batch, channels = picture.shape[:2]
    _, _, rows, columns = weight.shape
    height, width = offset.shape[-2:]
    moved = offset.view(batch, offset_groups, rows * columns, 2, height, width)
    factors = mask.view(batch, offset_groups, rows * columns, height, width) if use_mask else None
    y0 = (torch.arange(height) * stride_h - pad_h).view(-1, 1)
    x0 = (torch.arange(width) * stride_w - pad_w).view(1, -1)
    taps = torch.empty(batch, channels, rows * columns, height, width)
    for image in range(batch):
        for group, part in enumerate(picture[image].chunk(offset_groups)):
            own = slice(group * part.shape[0], (group + 1) * part.shape[0])
            for tap in range(rows * columns):
                dy, dx = moved[image, group, tap]
                y, x = y0 + tap // columns * dilation_h + dy, x0 + tap % columns * dilation_w + dx
                taps[image, own, tap] = sampled(part, y, x, outside="zeros")
                if factors is not None:
                    taps[image, own, tap] *= factors[image, group, tap]
    columns_of = taps.view(batch, groups, -1, height * width)
    result = torch.einsum("goc,bgcp->bgop", weight.view(groups, weight.shape[0] // groups, -1), columns_of)
    return result.reshape(batch, -1, height, width) + bias.view(-1, 1, 1)


def some_boxes(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


def roi_align_type(picture: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int,
                   sampling_ratio: int, aligned: bool) -> Tensor:
    return picture.new_empty(rois.shape[0], picture.shape[1], pooled_height, pooled_width)


def deform_conv2d_type(picture: Tensor, weight: Tensor, offset: Tensor, *rest) -> Tensor:
    return picture.new_empty(picture.shape[0], weight.shape[0], *offset.shape[-2:])


for schema in SCHEMAS:
    if not hasattr(torch.ops.torchvision, schema.split("(")[0]):
        _library.define(schema)
for name, body, types in (("nms", nms, some_boxes), ("roi_align", roi_align, roi_align_type),
                          ("deform_conv2d", deform_conv2d, deform_conv2d_type)):
    _library.impl(name, body, "CPU")
    torch.library.register_fake(f"torchvision::{name}", types, lib=_library)
_register_onnx_ops._register_custom_op()
