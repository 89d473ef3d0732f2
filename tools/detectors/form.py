"""One export of a family: how it is written, and how its outputs are read."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from onnx_export import write

from .geometry import Placement
from .instance import Instance, Ties

Outputs = dict[str, np.ndarray]
"""Role -> array, without what the card does not name."""

Decoder = Callable[[Outputs, Placement, dict, Ties], list[Instance]]


@dataclass(frozen=True)
class Form:
    """`write(path)` exports the model and gives its card."""

    name: str
    write: Callable[[Path], dict]
    decode: Decoder
    recognised: bool = False
    """Whether the file says enough to run without a card."""

    whole: bool = False
    """Whether the graph decides on the instances: its outputs are compared with ONNX Runtime's as well."""


def threshold(card: dict) -> float:
    return card.get("thresholds", {}).get("score", 0.0)


def most(card: dict) -> int | None:
    return card.get("thresholds", {}).get("top_k")


def save(module: nn.Module, example: Tensor, path: Path, *, outputs: list[str], input_name: str = "image",
         dynamic: dict[str, dict[int, str]] | None = None, metadata: dict[str, str] | None = None,
         opset: int = 17) -> None:
    """Writes `module` as one ONNX file; `dynamic`: by input or output, the axes that stay symbolic."""
    level = logging.getLogger("torch.onnx").level
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        target = Path(folder) / "model.onnx"
        torch.onnx.export(module.eval(), (example,), target, dynamo=False, input_names=[input_name],
                          output_names=outputs, opset_version=opset, dynamic_axes=dynamic)
        model = onnx.load(target)
    logging.getLogger("torch.onnx").setLevel(level)
    write(model, path, metadata)


def card_path(model: Path) -> Path:
    return model.with_name(f"{model.stem}.card.json")


def write_card(card: dict, model: Path) -> None:
    card_path(model).write_text(json.dumps(card, indent=1) + "\n")
