"""The paper's training losses (arXiv 1904.02689, section 3 and the settings of section 5)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .boxes import corners, encode, iou

POSITIVE_IOU, NEGATIVE_IOU = 0.5, 0.4
NEGATIVES_PER_POSITIVE = 3
WEIGHTS = {"box": 1.5, "class": 1.0, "mask": 6.125, "semantic": 1.0}
MASKS_PER_IMAGE = 16


def match(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    """Assigns priors [P, 4] to the objects of one image: boxes [G, 4] corners, labels [G] from 1, 0 = padding.

    Returns (object index [P], class target [P]): 0 = background, -1 = neutral. Every object keeps its best prior.
    """
    valid = labels > 0
    overlaps = iou(boxes, corners(priors))
    overlaps[~valid] = -1.0
    best_overlap, best_object = overlaps.max(0)
    best_prior = overlaps.argmax(1)
    for number in torch.nonzero(valid).flatten().tolist():
        best_overlap[best_prior[number]] = 2.0
        best_object[best_prior[number]] = number
    target = labels[best_object].clone()
    target[best_overlap < POSITIVE_IOU] = -1
    target[best_overlap < NEGATIVE_IOU] = 0
    return best_object, target


def class_loss(conf: Tensor, target: Tensor) -> Tensor:
    """Summed softmax cross-entropy with online hard example mining, 3 negatives per positive in each image."""
    with torch.no_grad():
        hardness = torch.logsumexp(conf, -1) - conf[..., 0]
        hardness[target != 0] = -1.0
        counts = (target > 0).sum(1) * NEGATIVES_PER_POSITIVE
        rank = hardness.argsort(1, descending=True).argsort(1)
        chosen = (target > 0) | ((rank < counts[:, None]) & (target == 0))
    return F.cross_entropy(conf[chosen], target[chosen], reduction="sum")


def mask_loss(proto: Tensor, mask: Tensor, matched: Tensor, target: Tensor, boxes: Tensor, masks: Tensor,
              generator: torch.Generator) -> Tensor:
    """Mean over sampled positives of the BCE inside the object's box, divided by the box's area.

    `masks` [N, G, h, w] holds coverage in 0-1 at the prototypes' size, not bits: a soft target at the boundary puts
    the upsampled mask's 0.5 crossing at the object's edge. `boxes` [N, G, 4] are relative corners.
    """
    batch, rows, columns, depth = proto.shape
    positive = target > 0
    order = torch.rand(positive.shape, generator=generator) + positive
    chosen = order.topk(MASKS_PER_IMAGE, dim=1).indices
    weight = positive.gather(1, chosen).float()
    coefficients = mask.gather(1, chosen[..., None].expand(-1, -1, depth))
    objects = matched.gather(1, chosen)
    logits = torch.bmm(coefficients, proto.reshape(batch, rows * columns, depth).transpose(1, 2))
    logits = logits.view(batch, MASKS_PER_IMAGE, rows, columns)
    index = torch.arange(batch)[:, None]
    truth = masks[index, objects]
    box = boxes[index, objects] * torch.tensor([columns, rows, columns, rows])
    low, high = box[..., :2].floor() - 1, box[..., 2:].ceil() + 1
    x, y = torch.arange(columns), torch.arange(rows)
    inside_x = (x >= low[..., :1]) & (x < high[..., :1])
    inside_y = (y >= low[..., 1:]) & (y < high[..., 1:])
    inside = (inside_y[..., :, None] & inside_x[..., None, :]).float()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    area = (box[..., 2:] - box[..., :2]).clamp(min=1).prod(-1)
    per_mask = (entropy * inside).sum((2, 3)) / area
    return (per_mask * weight).sum() / weight.sum().clamp(min=1)


def semantic_loss(logits: Tensor, masks: Tensor, labels: Tensor) -> Tensor:
    """Per-pixel sigmoid BCE at P3's size, summed over classes and averaged over pixels and images."""
    coverage = F.interpolate(masks, size=logits.shape[2:], mode="area")
    target = torch.zeros_like(logits)
    for image, present in enumerate(labels.tolist()):
        for number, label in enumerate(present):
            if label > 0:
                target[image, label - 1] = torch.maximum(target[image, label - 1], coverage[image, number])
    target = (target > 0.5).float()
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="sum")
    return loss / (logits.shape[0] * logits.shape[2] * logits.shape[3])


def losses(outputs: dict[str, Tensor], batch: dict[str, Tensor], priors: Tensor,
           generator: torch.Generator) -> dict[str, Tensor]:
    """The four weighted losses; their sum is minimised. Everything in float32."""
    with torch.no_grad():
        pairs = [match(boxes, labels, priors) for boxes, labels in zip(batch["boxes"], batch["labels"])]
        matched, target = torch.stack([a for a, _ in pairs]), torch.stack([b for _, b in pairs])
        positive = target > 0
        total = positive.sum().clamp(min=1)
        images = torch.arange(len(pairs))[:, None].expand_as(matched)
        goal = encode(batch["boxes"][images[positive], matched[positive]], priors.expand(len(pairs), -1, -1)[positive])
    terms = {
        "box": F.smooth_l1_loss(outputs["loc"][positive], goal, reduction="sum") / total,
        "class": class_loss(outputs["conf"], target) / total,
        "mask": mask_loss(outputs["proto"], outputs["mask"], matched, target, batch["boxes"], batch["masks"],
                          generator),
        "semantic": semantic_loss(outputs["semantic"], batch["masks"], batch["labels"]),
    }
    return {name: value * WEIGHTS[name] for name, value in terms.items()}
