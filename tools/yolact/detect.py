"""Post-processing with Fast NMS: the training script's own evaluation, independent of Sardonyx's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .boxes import decode, iou


def detect(loc: Tensor, conf: Tensor, mask: Tensor, proto: Tensor, priors: Tensor, size: tuple[int, int],
           threshold: float = 0.05, nms_iou: float = 0.5, top_k: int = 200, limit: int = 100) -> list[dict]:
    """Instances of one image from raw heads (`conf` after softmax), best first, at `size` = (height, width).

    Each: `label` (0-based), `score`, `box` (x1, y1, x2, y2 pixels), `mask` bool [height, width].
    """
    scores = conf[:, 1:].T
    keep = scores.max(0).values > threshold
    if not bool(keep.any()):
        return []
    scores, boxes, mask = scores[:, keep], decode(loc[keep], priors[keep]), mask[keep]
    scores, order = scores.sort(1, descending=True)
    scores, order = scores[:, :top_k], order[:, :top_k]
    overlaps = torch.triu(iou(boxes[order], boxes[order]), diagonal=1).max(1).values
    classes, ranks = torch.nonzero(overlaps <= nms_iou, as_tuple=True)
    best = scores[classes, ranks].argsort(descending=True)[:limit]
    classes, ranks = classes[best], ranks[best]
    chosen = order[classes, ranks]
    bitmaps = _masks(proto, mask[chosen], boxes[chosen], size)
    scale = torch.tensor([size[1], size[0], size[1], size[0]])
    pixels = (boxes[chosen] * scale).clamp(min=0).minimum(scale).long().tolist()
    values = scores[classes, ranks].tolist()
    return [dict(label=label, score=value, box=box, mask=bitmap)
            for label, value, box, bitmap in zip(classes.tolist(), values, pixels, bitmaps)]


def _masks(proto: Tensor, coefficients: Tensor, boxes: Tensor, size: tuple[int, int]) -> np.ndarray:
    rows, columns, _ = proto.shape
    masks = torch.sigmoid(proto @ coefficients.T).permute(2, 0, 1)
    scaled = boxes * torch.tensor([columns, rows, columns, rows])
    low = (torch.minimum(scaled[:, :2], scaled[:, 2:]) - 1).clamp(min=0)
    high = torch.maximum(scaled[:, :2], scaled[:, 2:]) + 1
    x, y = torch.arange(columns), torch.arange(rows)
    inside = ((y >= low[:, 1:]) & (y < high[:, 1:]))[:, :, None] & ((x >= low[:, :1]) & (x < high[:, :1]))[:, None, :]
    masks = F.interpolate((masks * inside)[None], size=size, mode="bilinear", align_corners=False)[0]
    return (masks > 0.5).numpy()
