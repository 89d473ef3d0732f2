"""One operator on given inputs, as a model of one node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper, shape_inference

NEWEST_IR = 10
"""What every engine that is compared can read."""


@dataclass
class Form:
    """One node: inputs by position (None: omitted) and how many outputs it makes.

    Inputs at `constants` are initializers; the others are fed.
    """

    operator: str
    inputs: list[np.ndarray | None]
    attributes: dict = field(default_factory=dict)
    note: str = ""
    outputs: int = 1
    constants: tuple[int, ...] = ()
    domain: str = ""
    opset: int = 21

    @property
    def label(self) -> str:
        domain = f"{self.domain}." if self.domain else ""
        return f"{domain}{self.operator}" + (f" ({self.note})" if self.note else "")

    def feeds(self) -> dict[str, np.ndarray]:
        return fed(self.inputs, self.constants)

    def model(self) -> ModelProto:
        opsets = {"": self.opset}
        if self.domain:
            opsets[self.domain] = 5 if self.domain == "ai.onnx.ml" else 1
        model = single_node(self.operator, self.inputs, self.attributes, [True] * self.outputs, self.constants,
                            self.domain, opsets, NEWEST_IR)
        # For the element types only: its shapes are not always right (STFT).
        model = shape_inference.infer_shapes(model)
        for output in model.graph.output:
            if output.type.WhichOneof("value"):
                output.type.tensor_type.ClearField("shape")
            else:
                output.type.tensor_type.elem_type = TensorProto.FLOAT
        return model


def fed(inputs: Sequence[np.ndarray | None], constants: Sequence[int]) -> dict[str, np.ndarray]:
    """By name, the inputs of `single_node` that are no initializers."""
    return {f"x{index}": value for index, value in enumerate(inputs) if value is not None and index not in constants}


def single_node(operator: str, inputs: Sequence[np.ndarray | None], attributes: dict, outputs: Sequence[bool],
                constants: Sequence[int], domain: str, opsets: dict[str, int], ir: int,
                type: int | None = None) -> ModelProto:
    """A model of one node with inputs x0, x1 … and outputs y0, y1 …: those that are None or False are omitted, and
    inputs at `constants` are initializers. Outputs have no declared type, or element type `type`."""
    names = ["" if value is None else f"x{index}" for index, value in enumerate(inputs)]
    results = [f"y{index}" if wanted else "" for index, wanted in enumerate(outputs)]
    node = helper.make_node(operator, names, results, domain=domain, **attributes)
    graph = helper.make_graph(
        [node], "form",
        [helper.make_tensor_value_info(name, element_type(value), value.shape)
         for name, value in fed(inputs, constants).items()],
        [helper.make_tensor_value_info(name, type, None) if type else helper.make_empty_tensor_value_info(name)
         for name in results if name],
        [numpy_helper.from_array(inputs[index], f"x{index}") for index in constants])
    imports = [helper.make_opsetid(name, version) for name, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir)


def element_type(value: np.ndarray) -> int:
    """The number of TensorProto.DataType."""
    return TensorProto.STRING if value.dtype.kind == "U" else helper.np_dtype_to_tensor_dtype(value.dtype)
