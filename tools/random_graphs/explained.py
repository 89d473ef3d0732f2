"""Where ONNX Runtime does not do what the standard says, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from onnx import GraphProto, helper, numpy_helper


@dataclass(frozen=True)
class Explained:
    operator: str
    """A name, or the beginning of names when it ends with a star."""
    applies: Callable[[dict[str, Any], list[np.ndarray | None]], bool]
    """Of the node's attributes and operands."""
    reason: str

    def names(self, operator: str) -> bool:
        return operator.startswith(self.operator[:-1]) if self.operator.endswith("*") else operator == self.operator


def reduces_nothing_from_the_end(attributes: dict[str, Any], operands: list[np.ndarray | None]) -> bool:
    axes = operands[1] if len(operands) > 1 else attributes.get("axes", [])
    return operands[0] is not None and operands[0].size == 0 and axes is not None and any(axis < 0 for axis in axes)


def log_of_integers(attributes: dict[str, Any], operands: list[np.ndarray | None]) -> bool:
    return operands[0] is not None and operands[0].dtype.kind == "i"


def resizes_to_a_broken_extent(attributes: dict[str, Any], operands: list[np.ndarray | None]) -> bool:
    if attributes.get("coordinate_transformation_mode") != b"align_corners" or len(operands) != 3:
        return False
    if operands[0] is None or operands[2] is None:
        return False
    extents = operands[2] * operands[0].shape
    return bool((extents != np.floor(extents)).any())


def multiplies_nothing(attributes: dict[str, Any], operands: list[np.ndarray | None]) -> bool:
    return operands[0] is not None and operands[0].size == 0 and len(operands) == 3


def splits_by_input(attributes: dict[str, Any], operands: list[np.ndarray | None]) -> bool:
    return len(operands) == 2 and attributes.get("keepdims") == 0


def pads_to_same(attributes: dict[str, Any], operands: list[np.ndarray | None]) -> bool:
    kernel = attributes.get("kernel_shape", [])
    strides, dilations = (attributes.get(name, [1] * len(kernel)) for name in ("strides", "dilations"))
    return attributes.get("auto_pad", b"").startswith(b"SAME") and any(
        stride > size or step > 1 for size, stride, step in zip(kernel, strides, dilations))


EXPLAINED = (
    *(Explained(operator, pads_to_same,
                "with auto_pad SAME, ONNX Runtime leaves out dilations and lets pads be negative where a stride is "
                "larger than the window") for operator in ("MaxPool", "AveragePool", "LpPool")),
    Explained("SplitToSequence", splits_by_input, "with the input split, keepdims is to be ignored"),
    Explained("Gemm", multiplies_nothing, "where the inner extent is 0, ONNX Runtime leaves out beta"),
    Explained("ReduceLogSum*", log_of_integers,
              "of integers, ONNX Runtime rounds the logarithm and the exponentials to integers on the way"),
    Explained("Resize", resizes_to_a_broken_extent,
              "with align_corners and scales, the standard's cases take extent * scale before it is rounded down"),
    Explained("Reduce*", reduces_nothing_from_the_end,
              "of an operand without elements, ONNX Runtime does not count negative axes from the end"),
)


def explanation(graph: GraphProto, values: dict[str, np.ndarray]) -> str | None:
    """Why ONNX Runtime is wrong on this minimised graph; `values` are those of its inputs and nodes, if known."""
    values = values | {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    for node in graph.node:
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        operands = [values.get(name) for name in node.input]
        for item in EXPLAINED:
            if item.names(node.op_type) and item.applies(attributes, operands):
                return item.reason
        for nested in attributes.values():
            if isinstance(nested, GraphProto) and (reason := explanation(nested, values)):
                return reason
    return None
