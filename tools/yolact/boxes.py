"""Box geometry in relative coordinates."""

from __future__ import annotations

import torch
from torch import Tensor

VARIANCES = (0.1, 0.2)


def corners(boxes: Tensor) -> Tensor:
    """(cx, cy, w, h) -> (x1, y1, x2, y2)."""
    return torch.cat([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1)


def encode(matched: Tensor, priors: Tensor) -> Tensor:
    """Regression targets of corner boxes [P, 4] at their priors [P, 4] (SSD, arXiv 1512.02325, equation 2)."""
    centre = (matched[..., :2] + matched[..., 2:]) / 2 - priors[..., :2]
    size = (matched[..., 2:] - matched[..., :2]).clamp(min=1e-4) / priors[..., 2:]
    return torch.cat([centre / (VARIANCES[0] * priors[..., 2:]), size.log() / VARIANCES[1]], -1)


def decode(loc: Tensor, priors: Tensor) -> Tensor:
    """The inverse of `encode`: corner boxes."""
    centre = priors[..., :2] + loc[..., :2] * VARIANCES[0] * priors[..., 2:]
    size = priors[..., 2:] * torch.exp(loc[..., 2:] * VARIANCES[1])
    return corners(torch.cat([centre, size], -1))


def iou(first: Tensor, second: Tensor) -> Tensor:
    """IoU of corner boxes [..., A, 4] and [..., B, 4] -> [..., A, B]."""
    low = torch.maximum(first[..., :, None, :2], second[..., None, :, :2])
    high = torch.minimum(first[..., :, None, 2:], second[..., None, :, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area_first = (first[..., 2:] - first[..., :2]).prod(-1)[..., :, None]
    area_second = (second[..., 2:] - second[..., :2]).prod(-1)[..., None, :]
    return overlap / (area_first + area_second - overlap).clamp(min=1e-9)
