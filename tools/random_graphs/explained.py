"""Where ONNX Runtime does not do what the standard says, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from onnx import ModelProto, NodeProto, helper


@dataclass(frozen=True)
class Explained:
    operator: str
    applies: Callable[[dict, NodeProto, ModelProto], bool]
    """Of the node's attributes, the node and the minimised model."""
    reason: str


EXPLAINED: tuple[Explained, ...] = ()


def explanation(model: ModelProto) -> str | None:
    """Why ONNX Runtime is wrong on this minimised graph."""
    for node in model.graph.node:
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        for item in EXPLAINED:
            if item.operator == node.op_type and item.applies(attributes, node, model):
                return item.reason
    return None
