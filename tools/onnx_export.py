"""PyTorch's two ONNX exporters behind one call."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

EXPORTERS = ("torchscript", "dynamo")
DEFAULT_OPSETS = {"torchscript": 17, "dynamo": 18}


def export(module: nn.Module, example: Tensor, path: Path, *, exporter: str, opset: int | None = None,
           outputs: list[str], dynamic: dict[int, str] | None = None, constants: tuple[str, ...] = (),
           metadata: dict[str, str] | None = None) -> None:
    """Writes `module` as one self-contained ONNX file with the input `image` and the named outputs.

    `dynamic` names the input axes that stay symbolic; `constants` are outputs without a batch axis.
    """
    dynamic = dynamic or {}
    opset = opset or DEFAULT_OPSETS[exporter]
    module = module.eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        target = Path(folder) / "model.onnx"
        common = dict(input_names=["image"], output_names=outputs, opset_version=opset)
        if exporter == "dynamo":
            shapes = ({axis: torch.export.Dim.DYNAMIC for axis in dynamic},) if dynamic else None
            torch.onnx.export(module, (example,), target, dynamo=True, external_data=False, dynamic_shapes=shapes,
                              verbose=False, **common)
        else:
            axes = {"image": dynamic} if dynamic else None
            if axes and 0 in dynamic:
                axes |= {name: {0: dynamic[0]} for name in outputs if name not in constants}
            torch.onnx.export(module, (example,), target, dynamo=False, dynamic_axes=axes, **common)
        model = onnx.load(target)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)

