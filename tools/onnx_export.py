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
           outputs: list[str], dynamic: dict[int, str] | None = None, metadata: dict[str, str] | None = None) -> None:
    """Writes `module` as one self-contained ONNX file with the input `image` and the named outputs.

    `dynamic` names the input axes that stay symbolic.
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
            torch.onnx.export(module, (example,), target, dynamo=False, dynamic_axes=axes, **common)
        model = onnx.load(target)
    if dynamic:
        _declare_shapes(model, module, example, dynamic)
    write(model, path, metadata)


def write(model: onnx.ModelProto, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Saves a model that onnx.checker passes, with these `metadata_props` added."""
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def _declare_shapes(model: onnx.ModelProto, module: nn.Module, example: Tensor, dynamic: dict[int, str]) -> None:
    """Declares input and output shapes with our axis names, from runs of the module at several sizes.

    Both exporters invent names, and the TorchScript one declares some output axes wrongly (the batch's name for the
    prototypes' height). An output axis that a symbolic input axis changes is symbolic, the others are numbers.
    """
    del model.graph.value_info[:]
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for axis, name in dynamic.items():
        dims[axis].Clear()
        dims[axis].dim_param = name
    with torch.no_grad():
        base = [tuple(output.shape) for output in module(example)]
        changed: list[dict[int, list[str]]] = [{} for _ in base]
        for axis, name in dynamic.items():
            shape = list(example.shape)
            shape[axis] += 1 if axis == 0 else 64
            for output, before, axes in zip(module(torch.zeros(shape)), base, changed):
                for position, (old, new) in enumerate(zip(before, output.shape)):
                    if old != new:
                        axes.setdefault(position, []).append(name)
    for value, shape, axes in zip(model.graph.output, base, changed):
        dims = value.type.tensor_type.shape.dim
        del dims[:]
        for position, size in enumerate(shape):
            dim = dims.add()
            if position not in axes:
                dim.dim_value = size
            elif axes[position] == [dynamic.get(0)]:
                dim.dim_param = dynamic[0]
            else:
                dim.dim_param = f"{value.name}_{position}"
