"""One operator on given inputs, as a model of one node."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper, shape_inference

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
        return {f"x{index}": value for index, value in enumerate(self.inputs)
                if value is not None and index not in self.constants}

    def model(self) -> ModelProto:
        outputs = [f"y{index}" for index in range(self.outputs)]
        node = helper.make_node(self.operator, ["" if value is None else f"x{index}"
                                                for index, value in enumerate(self.inputs)],
                                outputs, domain=self.domain, **self.attributes)
        values = [helper.make_tensor_value_info(name, element_type(value), value.shape)
                  for name, value in self.feeds().items()]
        results = [helper.make_empty_tensor_value_info(name) for name in outputs]
        initializers = [numpy_helper.from_array(self.inputs[index], f"x{index}") for index in self.constants]
        graph: GraphProto = helper.make_graph([node], "form", values, results, initializers)
        imports = [helper.make_opsetid("", self.opset)]
        if self.domain:
            imports.append(helper.make_opsetid(self.domain, 5 if self.domain == "ai.onnx.ml" else 1))
        model = helper.make_model(graph, opset_imports=imports, ir_version=NEWEST_IR)
        # For the element types only: its shapes are not always right (STFT).
        model = shape_inference.infer_shapes(model)
        for output in model.graph.output:
            if output.type.WhichOneof("value"):
                output.type.tensor_type.ClearField("shape")
            else:
                output.type.tensor_type.elem_type = TensorProto.FLOAT
        return model


def element_type(value: np.ndarray) -> int:
    """The number of TensorProto.DataType."""
    return TensorProto.STRING if value.dtype.kind == "U" else helper.np_dtype_to_tensor_dtype(value.dtype)
