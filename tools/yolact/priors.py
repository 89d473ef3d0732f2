"""Prior boxes."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .config import Config


def level_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Cells (rows, columns) of P3-P7 for an input of (height, width); every stride-2 layer rounds up."""
    halved = [size]
    for _ in range(7):
        height, width = halved[-1]
        halved.append(((height + 1) // 2, (width + 1) // 2))
    return halved[3:]


def _sides(config: Config, scales: tuple[float, ...]) -> list[tuple[float, float]]:
    """Widths and heights in input pixels of one level's priors."""
    sides = []
    for scale in scales:
        for ratio in config.ratios:
            width = scale * math.sqrt(ratio)
            sides.append((width, width if config.square_priors else scale / math.sqrt(ratio)))
    return sides


def make_priors(config: Config, size: tuple[int, int] | None = None) -> np.ndarray:
    """Priors float32 [P, 4] as (cx, cy, w, h) relative to the input; order level, row, column, scale, ratio.

    `size` is the input's (height, width), default the configuration's. Sides are fixed in pixels; with `square_priors`
    the height repeats the width (the reference's quirk, which the published weights were trained with).
    """
    size = size or (config.input_size, config.input_size)
    levels = []
    for (rows, columns), scales in zip(level_sizes(size), config.scales):
        sides = np.array(_sides(config, scales)) / (size[1], size[0])
        level = np.empty((rows, columns, len(sides), 4))
        level[..., 0] = ((np.arange(columns) + 0.5) / columns)[None, :, None]
        level[..., 1] = ((np.arange(rows) + 0.5) / rows)[:, None, None]
        level[..., 2:] = sides
        levels.append(level.reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def priors_of_levels(config: Config, levels: list[Tensor], image: Tensor) -> Tensor:
    """`make_priors` in tensor operations on the sizes of P3-P7 and of the image, for graphs with symbolic sizes."""
    parts = []
    height, width = image.shape[2], image.shape[3]
    for level, scales in zip(levels, config.scales):
        rows, columns = level.shape[2], level.shape[3]
        x = (torch.arange(columns, dtype=torch.float32) + 0.5) / columns
        y = (torch.arange(rows, dtype=torch.float32) + 0.5) / rows
        for_cells = torch.stack([x[None, :].expand(rows, columns), y[:, None].expand(rows, columns)], -1)
        sides = torch.tensor(_sides(config, scales), dtype=torch.float32)
        relative = sides / torch.stack([torch.ones(()) * width, torch.ones(()) * height])
        count = len(sides)
        centres = for_cells[:, :, None, :].expand(rows, columns, count, 2)
        sizes = relative[None, None].expand(rows, columns, count, 2)
        parts.append(torch.cat([centres, sizes], -1).reshape(-1, 4))
    return torch.cat(parts)
