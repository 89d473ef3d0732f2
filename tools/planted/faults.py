"""Faults of one node: another operator of the same shape, an attribute, a weight."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Iterable, Iterator

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

OPERATORS = {
    "Relu": "Sigmoid", "Sigmoid": "Tanh", "Tanh": "Sigmoid", "Erf": "Tanh", "Add": "Sub", "Sub": "Add", "Mul": "Add",
    "Div": "Mul", "Max": "Min", "Min": "Max", "Exp": "Abs", "Sqrt": "Abs", "Abs": "Neg", "Neg": "Abs", "Sin": "Cos",
    "Cos": "Sin", "Floor": "Ceil", "Ceil": "Floor", "Greater": "Less", "Less": "Greater", "And": "Or", "Or": "And",
    "ReduceMean": "ReduceSum", "ReduceMax": "ReduceMin", "ReduceMin": "ReduceMax", "GlobalAveragePool": "GlobalMaxPool",
    "Softmax": "LogSoftmax", "ArgMax": "ArgMin", "ArgMin": "ArgMax", "HardSwish": "Relu", "Softplus": "Relu",
}
ATTRIBUTES = {"LeakyRelu": ("alpha", 0.4), "Elu": ("alpha", 3.0), "Gemm": ("alpha", 1.3), "HardSigmoid": ("alpha", 0.5),
              "LayerNormalization": ("epsilon", 3.0), "BatchNormalization": ("epsilon", 3.0), "Celu": ("alpha", 4.0),
              "InstanceNormalization": ("epsilon", 3.0), "Selu": ("gamma", 2.0), "ThresholdedRelu": ("alpha", 0.1),
              "Softmax": ("axis", 0), "LSTM": ("direction", "reverse"), "GRU": ("direction", "reverse"),
              "Resize": ("coordinate_transformation_mode", "asymmetric"), "AveragePool": ("count_include_pad", 1)}
WEIGHTED = {"Conv": 1, "ConvTranspose": 1, "MatMul": 1, "Gemm": 1, "LSTM": 1, "GRU": 1, "BatchNormalization": 1,
            "LayerNormalization": 1, "PRelu": 1, "Add": 1, "Mul": 1}
KINDS = ("operator", "attribute", "weight")


@dataclass
class Fault:
    kind: str
    node: str
    text: str
    model: ModelProto


def copy(model: ModelProto) -> ModelProto:
    made = ModelProto()
    made.CopyFrom(model)
    return made


def named(model: ModelProto) -> ModelProto:
    """With a name of its own for every node, so that a node can be told."""
    made, taken = copy(model), set()
    for index, node in enumerate(made.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{index}"
        taken.add(node.name)
    return made


def operator_fault(model: ModelProto, node: NodeProto) -> str | None:
    other = OPERATORS.get(node.op_type)
    if other is None or node.domain not in ("", "ai.onnx"):
        return None
    text = f"{node.op_type} became {other}"
    node.op_type = other
    if other == "Relu":
        del node.attribute[:]
    return text


def attribute_fault(model: ModelProto, node: NodeProto) -> str | None:
    change = ATTRIBUTES.get(node.op_type)
    if change is None:
        return None
    name, value = change
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend(kept + [helper.make_attribute(name, value)])
    return f"{name} of {node.op_type} became {value}"


def weight_fault(model: ModelProto, node: NodeProto) -> str | None:
    position = WEIGHTED.get(node.op_type)
    if position is None or position >= len(node.input):
        return None
    weight = next((value for value in model.graph.initializer if value.name == node.input[position]), None)
    if weight is None:
        return None
    array = numpy_helper.to_array(weight)
    if array.dtype.kind != "f" or array.size == 0:
        return None
    changed = array.copy()
    changed.flat[: max(1, array.size // 3)] += 0.5 * max(float(np.abs(array).max()), 0.1)
    other = numpy_helper.from_array(changed, weight.name + "_planted")
    readers = [n for n in model.graph.node for name in n.input if name == weight.name]
    if len(readers) == 1:
        # The same name, as in a model of the same network that was trained or converted otherwise.
        weight.CopyFrom(numpy_helper.from_array(changed, weight.name))
    else:
        model.graph.initializer.append(other)
        node.input[position] = other.name
    return f"a third of the weight of {node.op_type} changed"


PLANTERS = dict(zip(KINDS, (operator_fault, attribute_fault, weight_fault)))


def faults(model: ModelProto, seed: int) -> Iterator[Fault]:
    """Every fault that may be planted, one at a time; kinds and nodes in an order by the seed."""
    source = random.Random(seed)
    kinds = [KINDS[(seed + offset) % len(KINDS)] for offset in range(len(KINDS))]
    for kind in kinds:
        order = list(range(len(model.graph.node)))
        source.shuffle(order)
        for index in order:
            planted = copy(model)
            node = planted.graph.node[index]
            if text := PLANTERS[kind](planted, node):
                yield Fault(kind, node.name, text, planted)


def shows(intact: dict[str, np.ndarray], planted: dict[str, np.ndarray], names: Iterable[str]) -> bool:
    """Whether the first of these values that can be told differs far beyond rounding, and is finite in both."""
    for name in names:
        if name not in intact or name not in planted or intact[name].shape != planted[name].shape:
            continue
        a, r = planted[name], intact[name]
        if r.size == 0 or r.dtype.kind not in "fiub":
            continue
        if r.dtype.kind != "f":
            return bool((a != r).any())
        if not (np.isfinite(a).all() and np.isfinite(r).all()):
            return False
        return float(np.abs(a - r).max()) > 0.02 * max(float(np.abs(r).max()), 1e-3)
    return False
