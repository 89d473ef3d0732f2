"""The examples of the manual's pages: commands that run in a folder with the demo model and pictures."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Picture:
    made: str
    """By the example, in its folder; of a page a screenshot is kept."""
    kept: str
    caption: str
    width: int = 1280
    height: int = 800


@dataclass(frozen=True)
class Example:
    caption: str
    command: str
    pictures: tuple[Picture, ...] = ()
    is_stable: bool = True
    """Whether it prints the same on every machine."""
    shows_output: bool = True
    exit_code: int = 0

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)


def prepare(folder: Path, root: Path) -> None:
    """The files that the examples name."""
    for name in ("demo.onnx", "demo.card.json"):
        shutil.copyfile(root / "models" / name, folder / name)
    picture = root / "models" / "pictures" / "coffee.jpg"
    shutil.copyfile(picture, folder / picture.name)
    _changed(folder)
    _incomplete(folder)
    _add_case(folder / "cases" / "test_add")


def _changed(folder: Path) -> None:
    """The demo model with one weight a little off and one Relu taken for a LeakyRelu."""
    model = onnx.load(folder / "demo.onnx")
    weight = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 4)
    values = numpy_helper.to_array(weight).copy()
    values[0] += 0.01
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type = "LeakyRelu"
    relu.attribute.append(helper.make_attribute("alpha", 0.1))
    onnx.save(model, folder / "changed.onnx")


def _incomplete(folder: Path) -> None:
    """The demo model with an operator that nobody knows, and without the file that its weights are in."""
    model = onnx.load(folder / "demo.onnx")
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Rleu"
    onnx.save(model, folder / "incomplete.onnx", save_as_external_data=True, location="weights.bin")
    (folder / "weights.bin").unlink()


def _add_case(folder: Path) -> None:
    """An ONNX backend test case."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in ("a", "b", "sum")]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["sum"])], "add", values[:2], values[2:])
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), folder / "model.onnx")
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((2, 3), np.float32)
    for name, array in [("input_0", a), ("input_1", b), ("output_0", a + b)]:
        (data / f"{name}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())


EXAMPLES: dict[str, list[Example]] = {
    "segment": [
        Example("The bundled model on a bundled picture:", "sardonyx segment coffee.jpg --model demo.onnx --out .",
                (Picture("coffee.overlay.png", "segment.png", "Objects under coloured masks with names and scores"),),
                is_stable=False),
    ],
    "card": [Example("What the demo model's card says:", "sardonyx card demo.onnx")],
    "run": [
        Example("Random numbers through the model:", "sardonyx run demo.onnx --seed 7 --output out.npz", is_stable=False),
    ],
    "inspect": [
        Example("A model at a glance:", "sardonyx inspect demo.onnx"),
        Example("What costs most:", "sardonyx inspect demo.onnx --ops"),
        Example("The page to look at a graph with:", "sardonyx inspect demo.onnx --html graph.html",
                (Picture("graph.html", "inspect-page.png", "The graph top-down, with operators, shapes and a panel about the model"),)),
        Example("Numbers of all weights:", "sardonyx inspect demo.onnx --weights"),
        Example("One node:", "sardonyx inspect demo.onnx --node /backbone/conv1/Conv"),
        Example("Memory over one run:", "sardonyx inspect demo.onnx --memory", is_stable=False),
        Example("What differs in another model:", "sardonyx inspect demo.onnx --diff changed.onnx", exit_code=1),
        Example("A model that cannot run:", "sardonyx inspect incomplete.onnx --ops"),
    ],
    "bench": [Example("Times and memory:", "sardonyx bench demo.onnx", is_stable=False)],
    "profile": [
        Example("Where the time goes:", "sardonyx profile demo.onnx --svg profile.svg --html profile.html",
                (Picture("profile.svg", "profile.svg", "Bars, roofline and time line of a run"),
                 Picture("profile.html", "profile-page.png", "The graph with nodes coloured by measured time")),
                is_stable=False),
    ],
    "compare": [
        Example("The model as planned beside each node by itself:", "sardonyx compare demo.onnx --against optimize=off",
                is_stable=False),
        Example("Where two models begin to differ:",
                "sardonyx compare demo.onnx changed.onnx --first-divergence --optimize off", is_stable=False, exit_code=1),
    ],
    "extract": [
        Example("The backbone's first three nodes:",
                "sardonyx extract demo.onnx --to /backbone/layers.0/layers.0.0/conv1/Conv_output_0 -o stem.onnx"),
    ],
    "optimize": [Example("Folded and simplified, and compared:", "sardonyx optimize demo.onnx -o small.onnx --check",
                         is_stable=False)],
    "reduce": [
        Example("The smallest model that still has a Softmax:",
                "sardonyx reduce demo.onnx --while 'sardonyx inspect {} --ops | grep -q Softmax' -o smallest.onnx",
                is_stable=False),
    ],
    "test": [Example("Cases in the format of the ONNX backend tests:", "sardonyx test cases", is_stable=False)],
    "operators": [Example("What is known of an operator:", "sardonyx operators resize")],
    "doctor": [Example("This machine:", "sardonyx doctor", is_stable=False)],
}
