"""Building blocks of the small networks, and weights that make them see something.

Random networks answer every picture alike. `settle` runs a few pictures through the layers in their order and scales
each convolution and linear layer so that its channels have mean 0 and deviation 1, or what `targets` says for the last
layers: then classes, places and sizes differ from picture to picture, and a bias decides how many objects are found.
"""

from __future__ import annotations

from typing import Callable

import torch
from torch import Tensor, nn

Target = tuple[Tensor | float, Tensor | float]
"""Mean and deviation of a layer's channels."""


class ConvAct(nn.Sequential):
    def __init__(self, c1: int, c2: int, kernel: int = 1, stride: int = 1, act: type[nn.Module] = nn.SiLU,
                 groups: int = 1):
        super().__init__(nn.Conv2d(c1, c2, kernel, stride, kernel // 2, groups=groups), act())


class CrossStage(nn.Module):
    """Half of the channels passes bottlenecks, and every step is kept (C2f)."""

    def __init__(self, c1: int, c2: int, act: type[nn.Module] = nn.SiLU, shortcut: bool = True):
        super().__init__()
        half = c2 // 2
        self.first, self.last = ConvAct(c1, 2 * half, act=act), ConvAct(3 * half, c2, act=act)
        self.inner = nn.Sequential(ConvAct(half, half, 3, act=act), ConvAct(half, half, 3, act=act))
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.first(x).chunk(2, 1)
        inner = self.inner(b)
        return self.last(torch.cat([a, b, b + inner if self.shortcut else inner], 1))


class Backbone(nn.Module):
    """Features at strides 8, 16 and 32 (and 4 before them, where asked for)."""

    def __init__(self, widths: tuple[int, int, int, int, int] = (8, 16, 24, 32, 48), act: type[nn.Module] = nn.SiLU,
                 four: bool = False):
        super().__init__()
        self.stem = ConvAct(3, widths[0], 3, 2, act)
        self.stages = nn.ModuleList(
            nn.Sequential(ConvAct(a, b, 3, 2, act), CrossStage(b, b, act)) for a, b in zip(widths, widths[1:]))
        self.first = 0 if four else 1
        self.widths = widths[1 + self.first:]

    def forward(self, x: Tensor) -> list[Tensor]:
        x, features = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features[self.first:]


class Neck(nn.Module):
    """Top-down, then bottom-up, by concatenation (PAN)."""

    def __init__(self, widths: tuple[int, ...], act: type[nn.Module] = nn.SiLU):
        super().__init__()
        self.down = nn.ModuleList(CrossStage(a + b, a, act, False) for a, b in zip(widths, widths[1:]))
        self.strided = nn.ModuleList(ConvAct(a, a, 3, 2, act) for a in widths[:-1])
        self.up = nn.ModuleList(CrossStage(a + b, b, act, False) for a, b in zip(widths, widths[1:]))
        self.larger = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        features = list(features)
        for level in range(len(features) - 2, -1, -1):
            features[level] = self.down[level](torch.cat([features[level], self.larger(features[level + 1])], 1))
        for level in range(len(features) - 1):
            features[level + 1] = self.up[level](torch.cat([self.strided[level](features[level]),
                                                            features[level + 1]], 1))
        return features


def spread(parts: list[tuple[int, float, float]]) -> Target:
    """Mean and deviation of channels, from (number of channels, mean, deviation)."""
    return (torch.cat([torch.full((count,), mean) for count, mean, _ in parts]),
            torch.cat([torch.full((count,), deviation) for count, _, deviation in parts]))


def settle(module: nn.Module, run: Callable[[], object], targets: dict[nn.Module, Target] | None = None) -> None:
    """Scales the layers of `module` while `run` passes pictures through it."""
    targets, done = targets or {}, set()

    def scaled(layer: nn.Module, _, output: Tensor) -> Tensor | None:
        if layer in done:
            return None
        done.add(layer)
        axis = 1 if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) else output.dim() - 1
        others = [index for index in range(output.dim()) if index != axis]
        mean, deviation = output.mean(others), output.std(others).clamp(min=1e-3)
        wanted_mean, wanted = targets.get(layer, (0.0, 1.0))
        factor = wanted / deviation
        along = [1] * layer.weight.dim()
        along[1 if isinstance(layer, nn.ConvTranspose2d) else 0] = -1
        shift = wanted_mean - mean * factor
        layer.weight.data *= factor.view(along)
        if layer.bias is None:
            layer.bias = nn.Parameter(torch.zeros_like(mean))
        layer.bias.data = layer.bias.data * factor + shift
        view = [1] * output.dim()
        view[axis] = -1
        return output * factor.view(view) + shift.view(view)

    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    hooks = [layer.register_forward_hook(scaled) for layer in module.modules() if isinstance(layer, kinds)]
    module.eval()
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def level_for(share: float, threshold: float, scores: Callable[[float], Tensor]) -> float:
    """The shift t of logits with which `share` of `scores(t)` is above the threshold."""
    low, high = -30.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if (scores(middle) > threshold).float().mean() > share else (middle, high)
    return low
