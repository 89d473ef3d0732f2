#!/usr/bin/env python3
"""Compares what `sardonyx inspect` counts with an independent count: shapes with onnx's own inference, multiply-accumulates
and parameters with the few lines below, on the nine light models of the onnx package and NanoDet-m.

For three networks the papers give a figure, too: VGG-19 has 19.6 G and multiply-adds (He et al. 2015,
arXiv 1512.03385, table 1), AlexNet 61 M parameters (Krizhevsky et al. 2012: "60 million").
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto, numpy_helper, shape_inference

from check_light_models import MODELS, with_random_weights

NANODET = Path(__file__).parents[1].parent / "shared" / "data" / "models" / "nanodet_m.onnx"
PUBLISHED = {"vgg19": ("MACs", 19.6e9, 0.01), "resnet50": ("MACs", 4.09e9, 0.01), "bvlc_alexnet": ("parameters", 60e6, 0.03)}
"""What, how much, and how far rounding in print and layers that the paper leaves out may take it."""

EXAMPLES = """examples:
  tools/check-inspect
  tools/check-inspect --only resnet50 nanodet_m
"""


@dataclass
class Counts:
    macs: int = 0
    parameters: int = 0
    shapes: dict[str, list[int]] = field(default_factory=dict)


def count(model: ModelProto) -> Counts:
    # Before IR version 4 onnx infers nothing from initializers that are no inputs.
    model.ir_version = max(model.ir_version, 8)
    graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    constants = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = list(numpy_helper.to_array(node.attribute[0].t).shape)
    shapes = dict(constants)
    for value in [*graph.input, *graph.value_info, *graph.output]:
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes[value.name] = [dim.dim_value for dim in tensor.shape.dim]
    made = {name for node in graph.node if node.op_type != "Constant" for name in node.output}
    read = {name for node in graph.node for name in node.input}
    result = Counts(shapes={name: shape for name, shape in shapes.items() if name in made})
    result.parameters = sum(math.prod(shape) for name, shape in constants.items() if name in read and shape)
    result.macs = sum(macs(node, shapes) for node in graph.node)
    return result


def macs(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    """One multiplication and addition for each weight that an output element sums up."""
    if node.op_type == "Conv":
        weights = shapes[node.input[1]]
        return math.prod(shapes[node.output[0]]) * math.prod(weights[1:])
    if node.op_type == "Gemm":
        turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
        return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if turned else 1]
    if node.op_type == "MatMul":
        return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    known = {"Conv", "Gemm", "MatMul", "Relu", "LeakyRelu", "Sigmoid", "MaxPool", "AveragePool", "GlobalAveragePool", "LRN",
             "Dropout", "Softmax", "Reshape", "Concat", "BatchNormalization", "Add", "Sum", "Mul", "Transpose", "Unsqueeze",
             "Constant", "Slice", "Split", "Shape", "Gather", "Resize", "Upsample", "Flatten", "Squeeze", "Cast", "Pad", "Identity"}
    if node.op_type not in known:
        raise SystemExit(f"check-inspect: how many multiplications does {node.op_type} take?")
    return 0


def compare(name: str, model: ModelProto, command: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        report = json.loads(subprocess.run([command, "inspect", str(path), "--json"], check=True, capture_output=True).stdout)
    wanted = count(model)
    faults = []
    for what, ours, theirs in [("multiply-accumulates", report.get("multiplyAccumulates"), wanted.macs),
                               ("parameters", report["parameterCount"], wanted.parameters)]:
        if ours != theirs:
            faults.append(f"{what}: inspect says {ours}, counted {theirs}")
    types = {value["name"]: value["type"] for node in report["nodes"] for value in node["outputs"] if value}
    differing = [f"{value}: inspect says {types.get(value)}, onnx {shape}" for value, shape in wanted.shapes.items()
                 if value not in types or types[value].partition("[")[2] != ", ".join(map(str, shape)) + "]"]
    faults += differing[:5] + ([f"{len(differing) - 5} more shapes"] if len(differing) > 5 else [])
    if len(wanted.shapes) < len(types) / 2:
        faults.append(f"onnx infers only {len(wanted.shapes)} of {len(types)} shapes")
    if name in PUBLISHED:
        what, published, tolerance = PUBLISHED[name]
        found = wanted.macs if what == "MACs" else wanted.parameters
        if abs(found - published) > tolerance * published:
            faults.append(f"{what}: {found:.4g}, published {published:.4g}")
    print(f"{name:<16} {report['multiplyAccumulates'] or 0:>14,} MACs  {report['parameterCount']:>12,} parameters  "
          f"{len(wanted.shapes):>4} shapes  {'differs' if faults else 'alike'}")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/check-inspect", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help="the sardonyx command")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    options = parser.parse_args()
    models = {name: lambda path=path: with_random_weights(onnx.load(path)) for name, path in MODELS.items()}
    if NANODET.exists():
        models["nanodet_m"] = lambda: onnx.load(NANODET)
    if unknown := set(options.only or []) - set(models):
        parser.error(f"--only: unknown: {', '.join(sorted(unknown))}; there are {', '.join(models)}")
    failed = False
    for name in options.only or models:
        for fault in compare(name, models[name](), options.command):
            failed = True
            print(f"  {fault}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
