"""torchvision's detectors with small backbones and random weights, exported whole or as raw heads."""

from __future__ import annotations

import importlib
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN

from . import pictures
from .form import save
from .parts import ConvAct, level_for, settle


def _has_ops() -> bool:
    return True


for _module in ("torchvision.extension", "torchvision.ops.roi_align"):
    importlib.import_module(_module)
    sys.modules[_module]._has_ops = _has_ops

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
LABELS = ["person", "bicycle", "car", "dog", "kite"]
CLASSES = 1 + len(LABELS)
"""torchvision's RetinaNet and FCOS count a background, which they never find."""

SHORT, LONG = 192, 320


def pyramid(extra: nn.Module | None, first: int, width: int = 32) -> BackboneWithFPN:
    """Feature pyramid from stage `first` (stride 2^(first + 1)) to stride 32."""
    widths = (16, 16, 24, 32, 48)
    stages = OrderedDict(stem=ConvAct(3, widths[0], 3, 2, nn.ReLU))
    for number, (a, b) in enumerate(zip(widths, widths[1:]), 1):
        stages[f"stage{number}"] = nn.Sequential(ConvAct(a, b, 3, 2, nn.ReLU), ConvAct(b, b, 3, act=nn.ReLU))
    used = range(first, 5)
    return BackboneWithFPN(nn.Sequential(stages), {f"stage{n}": str(n - first) for n in used},
                           [widths[n] for n in used], width, extra)


def samples() -> list[Tensor]:
    """Pictures [3, H, W] in 0..1 for `settle`."""
    scenes = (pictures.scene(index + 7, *shape) for index, shape in enumerate(list(pictures.SIZES.values())[::2]))
    return [torch.tensor(np.asarray(scene)).permute(2, 0, 1).float() / 255 for scene in scenes]


def settled(model: nn.Module, head: nn.Module, targets: dict[nn.Module, tuple],
            balance: Callable[[object], None]) -> nn.Module:
    """`balance` gets what `head` gave for the samples, and shifts biases."""
    images, given, last = samples(), [], getattr(model, "roi_heads", model)
    score = last.score_thresh
    if last is model:
        last.score_thresh = 2.0  # No suppression of thousands of boxes meanwhile.
    settle(model, lambda: model(images), targets)
    hook = head.register_forward_hook(lambda module, inputs, output: given.append(output))
    with torch.no_grad():
        model(images)
        hook.remove()
        balance(given[0])
    last.score_thresh = score
    return model.eval()


def share(objects: float, logits: Tensor) -> float:
    """The share of elements that makes `objects` a picture; logits [N, A, C]."""
    return objects / logits[0].numel()


def raise_sigmoid(layers: list[nn.Conv2d], logits: Tensor, objects: float, score: float,
                  factor: Tensor | float = 1.0) -> None:
    """Shifts the class logits so that `objects` a picture score above `score`."""
    level = level_for(share(objects, logits), score, lambda shift: (logits + shift).sigmoid() * factor)
    for layer in layers:
        layer.bias += level
        layer.bias[::CLASSES] = -30


def raise_softmax(biases: list[Tensor], logits: Tensor, objects: float, anchors: int, score: float) -> None:
    """Lowers the background's bias (every C + 1 elements of `biases`) so that `objects` a picture of so many anchors
    score above `score`; logits [.., C + 1]."""
    count = logits.shape[-1]

    def scores(shift: float) -> Tensor:
        moved = logits.clone()
        moved[..., 0] -= shift
        return moved.softmax(-1)[..., 1:]

    level = level_for(objects / (anchors * (count - 1)), score, scores)
    for bias in biases:
        bias[::count] -= level


class Whole(nn.Module):
    """The model with its own resizing and post-processing; [3, H, W] or [1, 3, H, W] in, tensors out."""

    def __init__(self, model: nn.Module, names: list[str]):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        found = self.model([image[0] if image.dim() == 4 else image])[0]
        return tuple(found[name] for name in self.names)


class Raw(nn.Module):
    """Backbone and heads only, of a normalised input [1, 3, H, W]."""

    def __init__(self, model: nn.Module, names: list[str]):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = self.model.backbone(x)
        heads = self.model.head(list(features.values()))
        return tuple(heads[name] for name in self.names)


def write_whole(model: nn.Module, path: Path, names: list[str], rank: int = 3) -> dict:
    """Exports for pictures of any size; `names`: of torchvision's result."""
    photo = pictures.scene(0, 290, 217).resize((290, 217), Image.Resampling.BILINEAR)
    example = torch.tensor(np.asarray(photo)).permute(2, 0, 1).float() / 255
    example = example if rank == 3 else example[None]
    axes = {"image": {rank - 2: "height", rank - 1: "width"}} | {name: {0: "detections"} for name in names}
    if "masks" in names:
        axes["masks"] |= {2: "height", 3: "width"}
    save(Whole(model, names), example, path, outputs=names, dynamic=axes)
    parameters = {"coordinates": "input", "first_label": 1}
    if "masks" in names:
        parameters |= {"masks": "input", "mask_threshold": 0.5}
    return {"name": path.stem, "decoder": "instances",
            "input": {"name": "image", "channels": "rgb", "mean": [0, 0, 0], "std": [255, 255, 255],
                      "geometry": "original"},
            "outputs": {name: name for name in names}, "instances": parameters,
            "thresholds": {"score": model_threshold(model), "top_k": 100}, "labels": LABELS}


def model_threshold(model: nn.Module) -> float:
    """The score that the graph itself asks for, and a little more, so that rounding at it decides nothing."""
    return round((model.roi_heads if hasattr(model, "roi_heads") else model).score_thresh + 0.01, 4)


def write_raw(model: nn.Module, path: Path, roles: dict[str, str], decoder: str, parameters: dict,
              labels: list[str] | None = None) -> dict:
    """Exports the heads for inputs of any size; `roles`: role -> name in the heads' result."""
    axes = {"image": {2: "height", 3: "width"}} | {role: {1: "anchors"} for role in roles}
    save(Raw(model, list(roles.values())), torch.zeros(1, 3, SHORT, LONG), path, outputs=list(roles), dynamic=axes)
    return {"name": path.stem, "decoder": decoder,
            "input": {"name": "image", "channels": "rgb", "mean": MEAN, "std": STD, "geometry": "keep-ratio",
                      "short_side": SHORT, "long_side": LONG, "stride": 32},
            "outputs": {role: role for role in roles}, decoder: parameters,
            "thresholds": {"score": model_threshold(model), "top_k": 100},
            "labels": labels or LABELS}
