#!/usr/bin/env python3
"""Records a run as an .npz whose keys are names of an ONNX model's values, inputs included, for `sardonyx compare`.

onnx:  a run of ONNX Runtime, every intermediate value as one more output, its optimisations off.
torch: a run of a PyTorch module; what its submodules return gets the names that the values have in the ONNX file that
       PyTorch's exporter wrote for it.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
from onnx import ModelProto, ValueInfoProto, helper

EXAMPLES = """examples:
  tools/record-run onnx model.onnx -o ort.npz --input image=x.npy
  sardonyx compare model.onnx ort.npz --first-divergence

  tools/record-run onnx model.onnx -o ort.npz --shape image=1x3x224x224 --seed 7

  tools/record-run torch export.py:make --onnx model.onnx -o torch.npz
  sardonyx compare model.onnx torch.npz --optimize off
      export.py has a function make() that returns the module in eval mode and the tuple of its inputs
"""

MESSAGE_LIMIT = 1 << 31
"""Bytes of a protobuf message; larger models go to ONNX Runtime by a file with external data."""


def fed(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs that are no initializers."""
    given = {value.name for value in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in given]


def random_feeds(model: ModelProto, seed: int, shapes: dict[str, list[int]],
                 given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Floats uniform in [0, 1), integers and bools 0 or 1, for inputs that are not given."""
    source = np.random.default_rng(seed)
    feeds = dict(given)
    for value in fed(model):
        if value.name in feeds:
            continue
        kind = value.type.tensor_type
        dims = shapes.get(value.name) or [dim.dim_value for dim in kind.shape.dim]
        if not value.type.HasField("tensor_type") or any(extent <= 0 for extent in dims):
            raise SystemExit(f"record-run: give --input or --shape for '{value.name}'")
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        numbers = source.random(dims) if dtype.kind == "f" else source.integers(0, 2, dims)
        feeds[value.name] = np.asarray(numbers, dtype)
    return feeds


def record_onnx(model: ModelProto, feeds: dict[str, np.ndarray], optimised: bool = False) -> dict[str, np.ndarray]:
    """Every tensor that ONNX Runtime computes in the main graph, with the inputs; sequences and the like are left out."""
    import onnxruntime

    whole = ModelProto()
    whole.CopyFrom(model)
    known = {value.name for value in whole.graph.output}
    for node in whole.graph.node:
        for name in node.output:
            if name and name not in known:
                known.add(name)
                whole.graph.output.append(ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(folder) / "model.onnx")
        onnx.save(whole, source, save_as_external_data=whole.ByteSize() >= MESSAGE_LIMIT)
        session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        values = dict(zip(names, session.run(names, feeds)))
    return feeds | {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def scope(node_name: str) -> str:
    """The module path in a node's name: /layer1/layer1.0/conv1/Conv is in layer1.0.conv1."""
    parts = node_name.strip("/").split("/")[:-1]
    return ".".join(part.rsplit(".", 1)[-1] for part in parts)


def values_of_modules(model: ModelProto) -> dict[str, str]:
    """By module path, the value that its last node makes; the exporters name nodes, or say scopes in their metadata."""
    found: dict[str, str] = {}
    for node in model.graph.node:
        paths = next((eval_scopes(entry.value) for entry in node.metadata_props
                      if entry.key == "pkg.torch.onnx.name_scopes"), None)
        path = paths if paths is not None else scope(node.name)
        while path:
            found[path] = node.output[0]
            path = path.rpartition(".")[0]
    return found


def eval_scopes(text: str) -> str:
    """The innermost module of the dynamo exporter's list of scopes, whose last entry is the node's own name."""
    import ast

    scopes = ast.literal_eval(text)
    return scopes[-2] if len(scopes) > 1 else ""


def record_torch(module, inputs: tuple, model: ModelProto) -> dict[str, np.ndarray]:
    """What a module, and its submodules that run once and return one tensor, compute, by the names in its ONNX file."""
    import torch

    calls: dict[str, list[tuple[object, object]]] = {}
    hooks = [part.register_forward_hook(
        lambda _, given, result, path=path: calls.setdefault(path, []).append((given[0] if given else None, result)))
        for path, part in module.named_modules() if path]
    try:
        with torch.no_grad():
            outputs = module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    once = {path: made[0] for path, made in calls.items() if len(made) == 1 and isinstance(made[0][1], torch.Tensor)}
    names = values_of_modules(model)
    values = {path: result for path, (_, result) in once.items() if path in names}
    for path, part in module.named_modules():
        if path in once and path not in names and "BatchNorm" in type(part).__name__:
            # The exporter folds it into the convolution before it, whose value in the file is then this one's.
            for other, (_, result) in once.items():
                if result is once[path][0] and other in values:
                    values[other] = once[path][1]
    recorded = {value.name: given for value, given in zip(fed(model), inputs)}
    recorded |= {names[path]: result for path, result in values.items()}
    flat = [outputs] if isinstance(outputs, torch.Tensor) else list(
        outputs.values() if isinstance(outputs, dict) else outputs)
    recorded |= {value.name: result for value, result in zip(model.graph.output, flat)
                 if isinstance(result, torch.Tensor)}
    return {name: tensor.detach().cpu().numpy() for name, tensor in recorded.items()}


def maker(text: str) -> Callable:
    """FILE.py:FUNCTION."""
    path, _, name = text.rpartition(":")
    if not Path(path).is_file():
        raise SystemExit(f"record-run: no file '{path}'; give FILE.py:FUNCTION")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    loaded = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec.loader.exec_module(loaded)
    if not hasattr(loaded, name):
        raise SystemExit(f"record-run: '{path}' has no function '{name}'")
    return getattr(loaded, name)


def storable(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """bfloat16 as uint16 and narrower floats as uint8, bit by bit, as `sardonyx run` has them."""
    kinds = {2: np.uint16, 1: np.uint8}
    return {name: value.view(kinds[value.itemsize]) if value.dtype.kind == "V" or "float8" in value.dtype.name
            or value.dtype.name == "bfloat16" else value for name, value in values.items()}


def given_inputs(entries: list[str]) -> dict[str, np.ndarray]:
    feeds: dict[str, np.ndarray] = {}
    for entry in entries:
        name, _, path = entry.rpartition("=")
        if not Path(path).is_file():
            raise SystemExit(f"record-run: no file '{path}'")
        if name:
            feeds[name] = np.load(path)
        else:
            with np.load(path) as file:
                feeds.update({key: file[key] for key in file.files})
    return feeds


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    runtime = kinds.add_parser("onnx", help="a run of ONNX Runtime")
    runtime.add_argument("model", type=Path)
    runtime.add_argument("--optimised", action="store_true", help="with ONNX Runtime's optimisations")
    module = kinds.add_parser("torch", help="a run of a PyTorch module")
    module.add_argument("make", help="FILE.py:FUNCTION; the function returns the module and the tuple of its inputs")
    module.add_argument("--onnx", type=Path, required=True, help="what PyTorch's exporter wrote for the module")
    for part in (runtime, module):
        part.add_argument("-o", "--output", type=Path, required=True, help="the .npz file")
    runtime.add_argument("--input", action="append", default=[], help="name=FILE.npy, or a whole FILE.npz")
    runtime.add_argument("--shape", action="append", default=[], help="shape of a random input: name=1x3x224x224")
    runtime.add_argument("--seed", type=int, default=0, help="of random inputs")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    source = options.onnx if options.kind == "torch" else options.model
    if not source.is_file():
        raise SystemExit(f"record-run: no file '{source}'")
    if options.kind == "torch":
        module, inputs = maker(options.make)()
        values = record_torch(module, inputs, onnx.load(source, load_external_data=False))
    else:
        model = onnx.load(source)
        shapes = {name: [int(extent) for extent in dims.split("x") if extent]
                  for name, _, dims in (entry.rpartition("=") for entry in options.shape)}
        feeds = random_feeds(model, options.seed, shapes, given_inputs(options.input))
        values = record_onnx(model, feeds, options.optimised)
    np.savez(options.output, **storable(values))
    print(f"{len(values)} values, {sum(value.nbytes for value in values.values()) / 2**20:.1f} MiB in {options.output}")


if __name__ == "__main__":
    main()
