"""Other operator sets: refused where an operator changed, else the outputs stay."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .shared import Command, Findings, checker_fault, difference, random_inputs, session


def plain(opset: int, more: Sequence[onnx.NodeProto] = ()) -> onnx.ModelProto:
    """Operators that mean the same from 13 on, and one behind them."""
    weights = [numpy_helper.from_array(np.ones((3, 2, 1, 1), np.float32), "w"),
               numpy_helper.from_array(np.array([1, 18], np.int64), "shape")]
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
             helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2]),
             helper.make_node("Reshape", ["c", "shape"], ["d"], allowzero=0) if opset >= 14 else
             helper.make_node("Reshape", ["c", "shape"], ["d"]),
             helper.make_node("Softmax", ["d"], ["y"], axis=1), *more]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
               for name in (["y"] if not more else [more[-1].output[0]])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 3, 4])]
    graph = helper.make_graph(nodes, "plain", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def check(command: Command, folder: Path, findings: Findings) -> None:
    path, target = folder / "opset.onnx", folder / "opset-other.onnx"
    for old, new in ((13, 17), (13, 22), (17, 21), (21, 13 + 4)):
        model = plain(old)
        onnx.save(model, path)
        done = command.run("optimize", path, "-o", target, "--passes", "none", "--opset", new)
        if not findings.expect(done.returncode == 0, f"{old} to {new}: {done.stderr.strip()}"):
            continue
        findings.expect(checker_fault(target) is None, f"{old} to {new}: {checker_fault(target)}")
        findings.expect(onnx.load(target).opset_import[0].version == new, f"{old} to {new}: version")
        feeds = random_inputs(session(path))
        worst = difference(session(target).run(None, feeds)[0], session(path).run(None, feeds)[0])
        findings.expect(worst == 0, f"{old} to {new}: differs by {worst}")
    node = helper.make_node
    for old, new, more, what in (
        (17, 18, [node("ReduceMean", ["y"], ["z"], axes=[1])], ("ReduceMean", "18", "axes")),
        (11, 13, [], ("Softmax", "13", "axis")),
        (17, 12, [], ("Softmax", "Reshape")),
        (13, 18, [node("Split", ["y"], ["z", "t"], axis=1)], ("Split", "18", "num_outputs")),
        (17, 99, [], ("--opset", "7 to")),
    ):
        onnx.save(plain(old, more), path)
        done = command.run("optimize", path, "-o", target, "--passes", "none", "--opset", new)
        findings.expect(done.returncode in (2, 3) and all(word in done.stderr for word in what),
                        f"{old} to {new}: exit code {done.returncode}: {done.stderr.strip()}")
