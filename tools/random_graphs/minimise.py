"""Makes a graph that disagrees smaller while it disagrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

from random_graphs.comparison import Command, Mode, faults
from random_graphs.evaluation import Reference, Refused, value_info


@dataclass
class Small:
    """A graph with one output that disagrees, and the feeds that show it."""

    model: ModelProto
    feeds: dict[str, np.ndarray]
    text: str
    values: dict[str, np.ndarray]
    """What ONNX Runtime computes for every value of the whole graph."""


def uses(node: NodeProto) -> set[str]:
    """The names that a node reads, in its subgraphs too."""
    names = {name for name in node.input if name}
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            for inner in attribute.g.node:
                names |= uses(inner)
            names |= {output.name for output in attribute.g.output}
    return names


def prune(graph: GraphProto) -> None:
    """Removes what no output needs."""
    needed = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if needed & set(node.output):
            needed |= uses(node)
        else:
            graph.node.remove(node)
    for values in (graph.input, graph.initializer):
        for value in [value for value in values if value.name not in needed]:
            values.remove(value)


class Minimiser:
    def __init__(self, command: Command, mode: Mode, model: ModelProto, feeds: dict[str, np.ndarray]):
        self.command, self.mode, self.model, self.feeds = command, mode, model, feeds
        self.values = self.every_value()

    def every_value(self) -> dict[str, np.ndarray]:
        """What ONNX Runtime computes for each tensor."""
        model = ModelProto()
        model.CopyFrom(self.model)
        names = [name for node in model.graph.node for name in node.output if name]
        del model.graph.output[:]
        model.graph.output.extend(type(self.model.graph.output[0])(name=name) for name in names)
        return dict(zip(names, Reference(model).run(self.feeds)))

    def candidate(self, output: str, cut: set[str]) -> tuple[ModelProto, dict[str, np.ndarray]]:
        """The graph that computes `output`, with the values in `cut` given."""
        model = ModelProto()
        model.CopyFrom(self.model)
        graph = model.graph
        for node in [node for node in graph.node if cut & set(node.output)]:
            graph.node.remove(node)
        graph.input.extend(value_info(name, self.values[name], list(self.values[name].shape)) for name in sorted(cut))
        del graph.output[:]
        graph.output.append(value_info(output, self.values[output]))
        prune(graph)
        given = self.feeds | {name: self.values[name] for name in cut}
        return model, {value.name: given[value.name] for value in graph.input if value.name in given}

    def disagrees(self, output: str, cut: set[str]) -> Small | None:
        model, feeds = self.candidate(output, cut)
        try:
            expected = {output: Reference(model).run(feeds)[0]}
        except Refused:
            return None
        value = expected[output]
        exact = not np.issubdtype(value.dtype, np.floating)
        size = float(np.abs(value.astype(np.float64)).max()) if value.size else 0.0
        allowed = 0.0 if exact else max((2e-2 if value.dtype == np.float16 else 1e-4) * size, 1e-9)
        wrong = faults(self.command.run(model, feeds, self.mode), expected, {output: allowed})
        return Small(model, feeds, wrong[output], self.values | self.feeds) if wrong else None

    def run(self, failing: str) -> Small | None:
        """The first value that disagrees, computed from as few nodes as show it; None when nothing small does."""
        tensors = [name for name, value in self.values.items() if not isinstance(value, list)]
        best, output, cut = None, failing, set()
        for name in tensors:
            if best := self.disagrees(name, cut):
                output = name
                break
        if best is None:
            return None
        for node in reversed(list(best.model.graph.node)):
            names = {name for name in node.output if name}
            if output in names or not names <= set(tensors):
                continue
            if smaller := self.disagrees(output, cut | names):
                best, cut = smaller, cut | names
        return best
