"""Builds one random graph. Each node is computed by ONNX Runtime when it is added, so that rules see shapes and values.

Every value is computed four times: for two data sets, whose symbolic extents differ, and in each a second time with
noise added to all that is rounded. What the noise does says how exact an output can be expected to be, and refuses
nodes where rounding decides (a comparison of near ties, the argmax of sums, a cast of 2.9999).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Callable, Sequence

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from random_graphs.evaluation import IR_VERSION, Refused, single_node, value_info
from random_graphs.values import (
    ALL, ALLOWED_CHANGE, EXACT, LARGEST_MAGNITUDE, LARGEST_SIZE, NOISE, Rejected, Value, change, is_float,
    scale,
)


@dataclass
class Settings:
    """What all graphs nested in one model share."""

    random: random.Random
    numbers: np.random.Generator
    opset: int
    extents: dict[str, tuple[int, ...]]
    """Symbolic extents, by data set."""

    sets: int = 2
    counter: int = 0
    """Names given so far."""


@dataclass
class Graph:
    """A graph in the making; `parent` is the one that it is nested in."""

    settings: Settings
    parent: Graph | None = None
    nodes: list[NodeProto] = field(default_factory=list)
    pool: list[Value] = field(default_factory=list)
    inputs: list[tuple[Value, list[int | str]]] = field(default_factory=list)
    initializers: list[Value] = field(default_factory=list)
    captured: dict[str, Value] = field(default_factory=dict)
    """Values of enclosing graphs that nodes here use."""

    # Chance

    @property
    def random(self) -> random.Random:
        return self.settings.random

    @property
    def opset(self) -> int:
        return self.settings.opset

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def choose(self, items: Sequence):
        return self.random.choice(items)

    def name(self, prefix: str) -> str:
        self.settings.counter += 1
        return f"{prefix}{self.settings.counter}"

    # Sources

    def extent(self) -> int:
        return 0 if self.chance(0.02) else self.random.randint(1, 6)

    def new_shapes(self, rank: int) -> list[tuple[int, ...]]:
        """By data set, a shape with some symbolic extents; a nested graph has none."""
        columns = []
        for _ in range(rank):
            symbolic = self.parent is None and self.settings.extents and self.chance(0.25)
            columns.append(self.choose([*self.settings.extents.values()]) if symbolic
                           else (self.extent(),) * self.settings.sets)
        return [tuple(column[k] for column in columns) for k in range(self.settings.sets)]

    def numbers(self, shape: tuple[int, ...], dtype: type, exact: bool) -> np.ndarray:
        source = self.settings.numbers
        if dtype is np.bool_:
            return source.integers(0, 2, shape).astype(np.bool_)
        if not is_float(dtype):
            return source.integers(0 if np.issubdtype(dtype, np.unsignedinteger) else -5, 9, shape).astype(dtype)
        if exact:
            return (source.integers(-8, 9, shape) / 2).astype(dtype)
        return np.asarray(source.standard_normal(shape)).astype(dtype)

    def source(self, shapes: list[tuple[int, ...]], dtype: type) -> Value:
        """A new graph input, initializer or constant of random numbers."""
        exact = not is_float(dtype) or self.chance(0.4)
        fixed = all(shape == shapes[0] for shape in shapes)
        if fixed and (self.parent or self.chance(0.5)):
            return self.constant(self.numbers(shapes[0], dtype, exact), exact)
        if self.parent:
            raise Rejected("a nested graph has no inputs of symbolic extents")
        return self.graph_input([self.numbers(shape, dtype, exact) for shape in shapes], exact)

    def constant(self, array: np.ndarray, exact: bool = True) -> Value:
        """An initializer, the output of Constant, or (rarely) a graph input that always has this value."""
        value = self.value(self.name("c"), [array] * self.settings.sets, 0.0 if exact else NOISE[array.dtype.type])
        kind = self.random.random()
        if kind < 0.1 and not self.parent:
            self.inputs.append((value, list(array.shape)))
        elif kind < 0.6:
            self.initializers.append(value)
        else:
            tensor = numpy_helper.from_array(array)
            self.nodes.append(helper.make_node("Constant", [], [value.name], value=tensor))
        return value

    def integers(self, values: Sequence[int] | int, dtype: type = np.int64) -> Value:
        return self.constant(np.array(values, dtype))

    def graph_input(self, arrays: list[np.ndarray], exact: bool) -> Value:
        value = self.value(self.name("x"), arrays, 0.0 if exact else NOISE[arrays[0].dtype.type])
        dims: list[int | str] = []
        for column in zip(*value.shapes):
            named = [name for name, extents in self.settings.extents.items() if extents == column]
            if len(set(column)) == 1 and not (named and self.chance(0.3)):
                dims.append(column[0])
            else:
                dims.append(named[0] if named else self.name("d"))
        self.inputs.append((value, dims))
        return value

    def value(self, name: str, arrays: list[np.ndarray | list], level: float) -> Value:
        noisy = arrays if level == 0 else [self.with_noise(array, level) for array in arrays]
        return Value(name, arrays, noisy, level)

    def with_noise(self, value: np.ndarray | list, level: float) -> np.ndarray | list:
        if isinstance(value, list):
            return [self.with_noise(item, level) for item in value]
        noise = self.settings.numbers.uniform(-level, level, value.shape)
        return np.asarray(value * (1 + noise)).astype(value.dtype)

    # Choice among values

    def visible(self) -> list[Value]:
        return self.pool + (self.parent.visible() if self.parent else [])

    def pick(self, accept: Callable[[Value], bool] = lambda value: True, dtypes: Sequence[type] = ALL,
             rank: tuple[int, int] = (0, 6), fresh: float = 0.15) -> Value:
        """A tensor of these element types and ranks that `accept` likes: one of the graph's, or a new source."""
        found = [value for value in self.visible() if not value.is_sequence and value.dtype in dtypes
                 and rank[0] <= value.rank <= rank[1] and accept(value)]
        if found and not self.chance(fresh):
            return found[min(int(self.random.expovariate(0.35)), len(found) - 1)] if self.chance(0.5) \
                else self.choose(found)
        for _ in range(8):
            common = [dtype for dtype in (np.float32, np.float32, np.int64) if dtype in dtypes]
            dtype = self.choose(common if common and self.chance(0.8) else dtypes)
            shapes = self.new_shapes(self.random.randint(max(rank[0], 0), min(rank[1], 4)) if rank[0] < 4 else rank[0])
            shown = Value("", [self.numbers(shape, dtype, True) for shape in shapes], [])
            if accept(shown):
                return self.source(shapes, dtype)
        raise Rejected("no value of this form")

    # Nodes

    def node(self, operator: str, inputs: Sequence[Value | None], outputs: int | list[bool] = 1,
             captured: dict[str, Value] | None = None, **attributes) -> Value | list[Value]:
        """Adds a node; `outputs` may say which of them are asked for. Raises `Rejected`, leaving no trace."""
        wanted = [True] * outputs if isinstance(outputs, int) else outputs
        names = [self.name("v") if asked else "" for asked in wanted]
        node = helper.make_node(operator, [value.name if value else "" for value in inputs], names,
                                **{key: value for key, value in attributes.items() if value is not None})
        operands = {value.name: value for value in inputs if value} | (captured or {})
        try:
            reference = single_node(node, {name: value.array for name, value in operands.items()}, self.opset)
        except Refused as fault:
            raise Rejected(str(fault)) from fault
        plain, noisy = [], []
        for index in range(self.settings.sets):
            try:
                plain.append(reference.run({name: value.plain[index] for name, value in operands.items()}))
                exact = all(value.plain[index] is value.noisy[index] for value in operands.values())
                noisy.append(plain[-1] if exact else
                             reference.run({name: value.noisy[index] for name, value in operands.items()}))
            except Refused as fault:
                raise Rejected(str(fault)) from fault
        level = max([value.level for value in operands.values()], default=0.0)
        result = [self.finish(operator, name, [row[k] for row in plain], [row[k] for row in noisy], level)
                  for k, name in enumerate(name for name in names if name)]
        for name, value in operands.items():
            self.capture(name, value)
        self.nodes.append(node)
        self.pool[:0] = result
        return result[0] if len(result) == 1 else result

    def capture(self, name: str, value: Value) -> None:
        own = {output for node in self.nodes for output in node.output}
        own |= {value.name for value in self.initializers} | {value.name for value, _ in self.inputs}
        if self.parent and name not in own:
            self.captured[name] = value

    def finish(self, operator: str, name: str, plain: list, noisy: list, level: float) -> Value:
        """The value of an output, when it is one that can be compared."""
        tensors = [(a, b) for old, new in zip(plain, noisy)
                   for a, b in (zip(old, new, strict=True) if isinstance(old, list) else [(old, new)])]
        if not tensors:
            raise Rejected("an empty sequence")
        dtype = tensors[0][0].dtype.type
        if dtype not in ALL:
            raise Rejected("an element type that is not compared")
        if len({old.ndim for old in plain if not isinstance(old, list)}) > 1:
            raise Rejected("a rank that depends on extents")
        for old, new in tensors:
            self.check(old, new, dtype, level)
        if not is_float(dtype):
            return Value(name, plain, plain)
        exact = level == 0 and operator in EXACT and all(
            (old * 16 == np.round(old * 16)).all() and scale(old) < 128 for old, _ in tensors)
        if exact:
            return Value(name, plain, plain)
        level = max(level, NOISE[dtype])
        return Value(name, plain, [self.with_noise(value, level) for value in noisy], level)

    @staticmethod
    def check(old: np.ndarray, new: np.ndarray, dtype: type, level: float) -> None:
        if old.size > LARGEST_SIZE or old.shape != new.shape:
            raise Rejected("too large, or a shape that rounding decides")
        if old.dtype == np.bool_ or not is_float(dtype):
            if not np.array_equal(old, new) or scale(old) > 1e6:
                raise Rejected("rounding decides, or large integers")
            return
        if not (np.isfinite(old).all() and np.isfinite(new).all()):
            raise Rejected("not finite")
        if scale(old) > LARGEST_MAGNITUDE.get(dtype, 5000.0):
            raise Rejected("large numbers")
        if level and change(old, new) > ALLOWED_CHANGE[level] * scale(old):
            raise Rejected("ill-conditioned")

    # Attempts

    def attempt(self, rule: Callable[[Graph], None]) -> bool:
        """Applies a rule; when it is rejected, nothing of it stays."""
        lists = (self.nodes, self.pool, self.inputs, self.initializers)
        saved, captured = [list(items) for items in lists], dict(self.captured)
        try:
            rule(self)
            return True
        except Rejected:
            for items, old in zip(lists, saved):
                items[:] = old
            self.captured = captured
            return False

    # Results

    def nested(self) -> Graph:
        return Graph(self.settings, self)

    def subgraph(self, name: str, inputs: Sequence[Value], outputs: Sequence[Value]) -> GraphProto:
        """This nested graph as an attribute."""
        return helper.make_graph(
            self.nodes, name, [value_info(value.name, value.array) for value in inputs],
            [value_info(value.name, value.array) for value in outputs],
            [numpy_helper.from_array(value.array, value.name) for value in self.initializers])

    def model(self, outputs: Sequence[Value]) -> ModelProto:
        declared = []
        for value in outputs:
            dims = None
            if not value.is_sequence and self.chance(0.5):
                dims = [column[0] if len(set(column)) == 1 else self.name("d") for column in zip(*value.shapes)]
            declared.append(value_info(value.name, value.array, dims))
        inputs = [value_info(value.name, value.array, dims) for value, dims in self.inputs]
        initializers: list[TensorProto] = []
        for value in self.initializers:
            initializers.append(numpy_helper.from_array(value.array, value.name))
            if self.chance(0.05):  # an initializer that callers may replace
                inputs.append(value_info(value.name, value.array, list(value.shape)))
        graph = helper.make_graph(self.nodes, "random", inputs, declared, initializers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=IR_VERSION)
