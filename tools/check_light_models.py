#!/usr/bin/env python3
"""Runs the light models of the onnx package: well-known networks whose weights are all one number.

Each runs as it is, against the recorded output, and with seeded random weights, where more than the mean of a picture
decides, against ONNX Runtime with optimisations off: the output and the value before the last operator, within 1e-4 of
their largest elements.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, numpy_helper

from random_graphs.comparison import MODES, Command, fault
from random_graphs.evaluation import Reference

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
MODELS = {path.stem.removeprefix("light_"): path for path in sorted(FOLDER.glob("light_*.onnx"))}
LIMIT = 1e-4
RECORDED_LIMIT = 1e-3
"""Of the recorded outputs, as the official runner compares them."""

EXAMPLES = """examples:
  tools/check-light-models --command .build/release/sardonyx
  tools/check-light-models --only resnet50 shufflenet
"""


@dataclass
class Row:
    model: str
    weights: str
    mode: str
    error: float | None
    passed: bool
    detail: str = ""
    seconds: float = 0.0


def own_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs that are no initializers."""
    given = {value.name for value in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in given]


def recorded_feeds(model: ModelProto) -> dict[str, np.ndarray]:
    """What the official runner feeds: every element its position over the number of elements."""
    feeds = {}
    for value in own_inputs(model):
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        feeds[value.name] = (np.arange(math.prod(shape)).reshape(shape) / math.prod(shape)).astype(np.float32)
    return feeds


def with_random_weights(model: ModelProto) -> ModelProto:
    """Filters and matrices that keep the variance, vectors in 0.5 to 1.5, in place of every ConstantOfShape."""
    numbers = np.random.default_rng(7)
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    shapes = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        shape = tuple(shapes[node.input[0]])
        if len(shape) == 1:
            weights = numbers.uniform(0.5, 1.5, shape)
        else:
            weights = numbers.standard_normal(shape, np.float32) * math.sqrt(2 / math.prod(shape[1:]))
        graph.initializer.append(numpy_helper.from_array(weights.astype(np.float32), node.output[0]))
        graph.node.remove(node)
    last = graph.node[-1].input[0]
    graph.output.append(ValueInfoProto(name=last))
    graph.output[-1].type.tensor_type.elem_type = TensorProto.FLOAT
    return result


class Checker:
    def __init__(self, command: str, folder: Path):
        self.command = Command(command, folder)

    def rows(self, name: str):
        model = onnx.load(MODELS[name])
        recorded = [numpy_helper.to_array(onnx.load_tensor(path))
                    for path in sorted(FOLDER.glob(f"light_{name}_output_*.pb"))]
        names = [value.name for value in model.graph.output]
        yield from self.compare(name, "as they are", model, recorded_feeds(model), dict(zip(names, recorded)),
                                RECORDED_LIMIT)
        random = with_random_weights(model)
        feeds = {key: np.random.default_rng(8).standard_normal(value.shape, np.float32)
                 for key, value in recorded_feeds(model).items()}
        expected = dict(zip([value.name for value in random.graph.output], Reference(random).run(feeds)))
        yield from self.compare(name, "random", random, feeds, expected, LIMIT)

    def compare(self, name: str, weights: str, model: ModelProto, feeds: dict[str, np.ndarray],
                expected: dict[str, np.ndarray], limit: float):
        for mode in MODES:
            start = time.monotonic()
            found = self.command.run(model, feeds, mode)
            row = Row(name, weights, mode.name, None, False, seconds=round(time.monotonic() - start, 1))
            if isinstance(found, str):
                row.detail = found
            else:
                scales = {key: max(float(np.abs(value).max()), 1e-30) for key, value in expected.items()}
                wrong = {key: text for key, value in expected.items()
                         if (text := fault(found.get(key), value, limit * scales[key]))}
                row.passed, row.detail = not wrong, "; ".join(f"{key} {text}" for key, text in wrong.items())
                if not any(key not in found or found[key].shape != value.shape for key, value in expected.items()):
                    row.error = max(float(np.abs(found[key] - value).max()) / scales[key]
                                    for key, value in expected.items())
            yield row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help="the sardonyx command")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=MODELS, default=list(MODELS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(options.command, Path(folder))
        for name in options.only:
            for row in checker.rows(name):
                rows.append(row)
                error = "-" if row.error is None else f"{row.error:.1e}"
                print(f"{name:16} {row.weights:12} {row.mode:12} {error:>9} {row.seconds:6.1f} s  "
                      f"{'ok' if row.passed else 'FAILED'} {row.detail}", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    failed = {row.model for row in rows if not row.passed}
    print(f"{len(options.only)} models: {len(options.only) - len(failed)} agree, {len(failed)} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
