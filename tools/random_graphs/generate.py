"""One random model with its feeds and what ONNX Runtime computes from them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto

from random_graphs import control, elementwise, indexing, movement, networks
from random_graphs.builder import Graph, Settings
from random_graphs.evaluation import Reference, Refused
from random_graphs.values import Value, change, is_float, scale

OPSETS = {11: 1, 12: 1, 13: 3, 14: 1, 15: 1, 16: 1, 17: 3, 18: 3, 19: 1, 20: 1, 21: 2, 22: 1, 23: 1, 24: 1}
FAMILIES = {"elementwise": elementwise, "movement": movement, "indexing": indexing, "networks": networks,
            "control": control}
FAMILY_WEIGHTS = dict(zip(FAMILIES, (30, 30, 17, 18, 5)))


@dataclass
class Case:
    """A model; by data set, the feeds, the outputs and how far from them another implementation may be."""

    seed: int
    model: ModelProto
    feeds: list[dict[str, np.ndarray]]
    outputs: list[dict[str, np.ndarray]]
    allowed: list[dict[str, float]]
    """Greatest absolute difference by output; 0 where it must be exact."""


def allowed_difference(value: Value, index: int) -> float:
    """Ten times what noise of the rounding's size does, and never below 1e-5 of the largest element (float16: 1e-2)."""
    if not is_float(value.dtype) or value.level == 0:
        return 0.0
    plain = value.plain[index]
    return 10 * (value.level * scale(plain) + change(plain, value.noisy[index])) + 1e-7


def generate(seed: int, mostly: str | None = None) -> Case | None:
    """None when ONNX Runtime does not take the whole graph. Of the rules, half are of the family `mostly`."""
    source = random.Random(seed)
    extents = {name: (source.randint(1, 6), source.choice([1, 2, 3, 5, 7, 0 if source.random() < 0.1 else 4]))
               for name in source.sample(["N", "M", "L"], source.randint(0, 2))}
    opset = source.choices(list(OPSETS), list(OPSETS.values()))[0]
    graph = Graph(Settings(source, np.random.default_rng(seed), opset, extents, 2 if extents else 1))
    wanted = source.randint(3, 25)
    weights = FAMILY_WEIGHTS | ({mostly: sum(FAMILY_WEIGHTS.values())} if mostly else {})
    for _ in range(8 * wanted):
        if len(graph.nodes) >= wanted:
            break
        rules = FAMILIES[source.choices(list(weights), list(weights.values()))[0]].RULES
        graph.attempt(source.choices(list(rules), list(rules.values()))[0])
    return finished(seed, graph, source)


def finished(seed: int, graph: Graph, source: random.Random) -> Case | None:
    """Chooses outputs, the last values more often, and computes them by a run of the whole model."""
    made = [value for value in graph.pool if not value.is_sequence]
    if not made:
        return None
    count = min(source.randint(1, 4), len(made))
    outputs = made[:1] + source.sample(made[1:], count - 1)
    source.shuffle(outputs)
    model = graph.model(outputs)
    feeds = [{value.name: value.plain[k] for value, _ in graph.inputs} for k in range(graph.settings.sets)]
    try:
        reference = Reference(model)
        computed = [reference.run(feed) for feed in feeds]
    except Refused:
        return None
    names = [value.name for value in outputs]
    return Case(seed, model, feeds, [dict(zip(names, row)) for row in computed],
                [{value.name: allowed_difference(value, k) for value in outputs} for k in range(len(feeds))])
