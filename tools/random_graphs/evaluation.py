"""Nodes and models in ONNX Runtime, optimisations off."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, ValueInfoProto, helper

IR_VERSION = 10


class Refused(Exception):
    """ONNX Runtime does not load or run this."""


def options() -> onnxruntime.SessionOptions:
    result = onnxruntime.SessionOptions()
    result.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    result.intra_op_num_threads = result.inter_op_num_threads = 1
    result.log_severity_level = 4
    return result


class Reference:
    """A loaded model."""

    def __init__(self, model: ModelProto):
        try:
            self.session = onnxruntime.InferenceSession(model.SerializeToString(), options(),
                                                        providers=["CPUExecutionProvider"])
        except Exception as fault:  # ONNX Runtime's errors share no public type.
            raise Refused(str(fault)) from fault

    def run(self, feeds: dict[str, np.ndarray | list]) -> list[np.ndarray | list]:
        try:
            found = self.session.run(None, feeds)
        except Exception as fault:
            raise Refused(str(fault)) from fault
        return [value if isinstance(value, list) else np.asarray(value) for value in found]


def value_info(name: str, value: np.ndarray | list, dims: list[int | str] | None = None) -> ValueInfoProto:
    """The declaration of a value; a list is a sequence of tensors."""
    if isinstance(value, list):
        element = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value[0].dtype), None)
        return helper.make_value_info(name, helper.make_sequence_type_proto(element))
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims)


def single_node(node: NodeProto, inputs: dict[str, np.ndarray | list], opset: int) -> Reference:
    """A model of this node alone, all inputs of it and of its subgraphs given."""
    graph = helper.make_graph(
        [node], "single", [value_info(name, value) for name, value in inputs.items()],
        [ValueInfoProto(name=name) for name in node.output if name])
    return Reference(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION))
