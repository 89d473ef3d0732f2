"""One module to export and compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor, nn

_generator = torch.Generator().manual_seed(3)


def floats(*shape: int) -> Tensor:
    return torch.randn(shape, generator=_generator)


def integers(bound: int, *shape: int) -> Tensor:
    return torch.randint(bound, shape, generator=_generator)


def booleans(*shape: int) -> Tensor:
    return integers(2, *shape).bool()


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, body: Callable):
        super().__init__()
        self.body = body

    def forward(self, *inputs: Tensor):
        return self.body(*inputs)


@dataclass(frozen=True)
class Form:
    """A module and its inputs. Axes in which `other` inputs differ from the first ones are exported as symbolic."""

    name: str
    build: Callable[[], nn.Module]
    inputs: tuple[Tensor, ...]
    other: tuple[Tensor, ...] | None = None
    scripted: bool = False
    """The TorchScript exporter gets the compiled module, control flow and all, not a trace."""

    opset: int | None = None

    @property
    def dynamic(self) -> list[list[int]]:
        """By input, the symbolic axes."""
        if self.other is None:
            return [[] for _ in self.inputs]
        return [[axis for axis, (a, b) in enumerate(zip(first.shape, second.shape)) if a != b]
                for first, second in zip(self.inputs, self.other)]


def function(name: str, body: Callable, *inputs: Tensor, **options) -> Form:
    return Form(name, lambda: Function(body), inputs, **options)


def layer(name: str, build: Callable[[], nn.Module], *inputs: Tensor, **options) -> Form:
    return Form(name, build, inputs, **options)
