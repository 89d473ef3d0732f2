"""The models that are measured: the ONNX file, one input, float64 outputs, and ncnn's conversion, kept in a cache.

Delete the cache folder after a change of tools/model_zoo.py, tools/yolact or models/demo.onnx.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx

TOOLS = Path(__file__).resolve().parent.parent
FILES = {"nanodet_m": TOOLS.parent.parent / "shared" / "data" / "models" / "nanodet_m.onnx",
         "demo": TOOLS.parent / "models" / "demo.onnx"}
"""Models that exist as ONNX files only; all others come from the model zoo."""
STANDARD = ("yolact_resnet50", "yolact_base", "yolact_im400", "yolact_im700", "yolact_darknet53", "resnet50",
            "mobilenet_v2", "efficientnet_b0", "shufflenet_v2_x1_0", "nanodet_m", "vit_small", "demo")
PNNX_SECONDS = 600


class ConversionFailure(Exception):
    """A model that an engine cannot take."""


@dataclass(frozen=True)
class Subject:
    """One model with one input."""

    name: str
    model: Path
    shape: tuple[int, ...]
    cache: Path

    @property
    def label(self) -> str:
        return _label(self.name, self.shape)

    @cached_property
    def input_name(self) -> str:
        return onnx.load(self.model, load_external_data=False).graph.input[0].name

    @property
    def image(self) -> Path:
        """The input as .npy: smooth noise of unit deviation, float32."""
        path = self.cache / f"{self.label}.npy"
        if not path.exists():
            from model_zoo import Entry

            batch, _, height, width = self.shape
            entry = Entry(build=lambda: None, size=(height, width), outputs=(), batch=batch)
            np.save(path, entry.example().numpy())
        return path

    def reference(self) -> tuple[dict[str, np.ndarray], str]:
        """Outputs in float64, and what computed them."""
        in_zoo = self.name not in FILES
        path = self.cache / f"{self.label}.reference.npz"
        if not path.exists():
            image = np.load(self.image).astype(np.float64)
            np.savez(path, **(_torch_outputs(self.name, image) if in_zoo else _evaluated(self.model, image)))
        with np.load(path) as file:
            return {name: file[name] for name in file.files}, f"{'PyTorch' if in_zoo else 'onnx.reference'}, float64"

    def for_engine(self, engine: str) -> Path:
        """The file that the engine loads; ncnn's is converted first."""
        return self._converted() if engine == "ncnn" else self.model

    def _converted(self) -> Path:
        """pnnx's float32 conversion for this shape, one image at a time.

        pnnx 20261020 crashes on a graph output that is a constant (YOLACT's priors): such outputs are left out.
        """
        shape = (1, *self.shape[1:])
        target = self.cache / f"{_label(self.name, shape)}.ncnn.param"
        outputs = target.with_suffix(".outputs.json")
        if outputs.exists():
            return target
        model = onnx.load(self.model)
        names = [value.name for value in model.graph.output]
        constant = _constant_outputs(model)
        for value in [value for value in model.graph.output if value.name in constant]:
            model.graph.output.remove(value)
        with tempfile.TemporaryDirectory() as folder:
            onnx.save(model, Path(folder) / "model.onnx")
            _pnnx(Path(folder) / "model.onnx", shape)
            for suffix in (".param", ".bin"):
                made = Path(folder) / f"model.ncnn{suffix}"
                if not made.exists():
                    raise ConversionFailure(f"pnnx wrote no {made.name}")
                shutil.move(made, target.with_suffix(suffix))
        kept = [name for name in names if name not in constant]
        outputs.write_text(json.dumps({name: f"out{index}" for index, name in enumerate(kept)}))
        return target


def _label(name: str, shape: tuple[int, ...]) -> str:
    return f"{name}-{'x'.join(map(str, shape))}"


def prepare(name: str, cache: Path, shape: tuple[int, ...] | None = None) -> Subject:
    """The model of that name, exported with PyTorch's TorchScript exporter where the cache has none yet.

    `shape` is for models with symbolic axes; by default the input has the shape that the model declares or the zoo's.
    """
    cache = cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    if name in FILES:
        path = FILES[name]
        if not path.exists():
            raise ConversionFailure(f"{path} is missing")
    else:
        path = cache / f"{name}.onnx"
        if not path.exists():
            from export_models import export_entry
            from model_zoo import MODELS

            if name not in MODELS:
                raise ConversionFailure(f"no model {name!r}; there are {', '.join([*FILES, *MODELS])}")
            print(f"bench-peers: exporting {name}", file=sys.stderr)
            export_entry(MODELS[name], path, "torchscript")
    return Subject(name, path, shape or _declared_shape(path), cache)


def _declared_shape(path: Path) -> tuple[int, ...]:
    dims = onnx.load(path, load_external_data=False).graph.input[0].type.tensor_type.shape.dim
    return tuple(dim.dim_value or 1 for dim in dims)


def _torch_outputs(name: str, image: np.ndarray) -> dict[str, np.ndarray]:
    import torch

    from model_zoo import MODELS

    entry = MODELS[name]
    with torch.no_grad():
        outputs = entry.build().double()(torch.from_numpy(image))
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return {name: output.numpy() for name, output in zip(entry.outputs, outputs)}


def _evaluated(path: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    """The graph in ONNX's own evaluator with every float tensor widened to float64."""
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    graph = model.graph
    tensors = list(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                tensors.append(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT:
                attribute.i = onnx.TensorProto.DOUBLE
    for tensor in tensors:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            wide = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    names = [value.name for value in graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(names, {graph.input[0].name: image})))


def _constant_outputs(model: onnx.ModelProto) -> set[str]:
    """Outputs that no value of a graph input reaches; its shape is constant in a conversion for one shape."""
    reached = {value.name for value in model.graph.input} - {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "Shape" and reached.intersection(node.input):
            reached.update(node.output)
    return {value.name for value in model.graph.output} - reached


def _pnnx(source: Path, shape: tuple[int, ...]) -> None:
    command = [str(Path(sys.executable).parent / "pnnx"), source.name, f"inputshape=[{','.join(map(str, shape))}]",
               "fp16=0"]
    try:
        done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, timeout=PNNX_SECONDS)
    except subprocess.TimeoutExpired:
        raise ConversionFailure(f"pnnx did not end in {PNNX_SECONDS} s") from None
    if done.returncode != 0:
        code = done.returncode if done.returncode < 128 else done.returncode - 256
        raise ConversionFailure(f"pnnx ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
