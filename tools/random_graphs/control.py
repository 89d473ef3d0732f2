"""Rules: If, Loop, Scan and sequences of tensors."""

from __future__ import annotations

import numpy as np
from onnx import helper

from random_graphs.builder import Graph
from random_graphs.elementwise import RULES as ELEMENTWISE
from random_graphs.indexing import RULES as INDEXING
from random_graphs.movement import RULES as MOVEMENT
from random_graphs.movement import axis
from random_graphs.values import NUMBERS, Rejected, Value

CARRIED = (np.float32, np.int64)


def scalar_condition(g: Graph) -> Value:
    """A boolean scalar: an input, a constant, or computed from data."""
    form = g.random.randrange(4)
    if form == 0:
        return g.constant(np.array(g.chance(0.5)))
    if form == 1 and not g.parent:
        return g.graph_input([np.array(g.chance(0.5)) for _ in range(g.settings.sets)], True)
    x = g.pick(dtypes=(np.float32, np.int64), rank=(0, 4))
    if form == 2:
        extent = g.node("Size", [x])
        return g.node("Greater", [extent, g.integers(g.random.randint(0, 30))])
    flat = g.node("Reshape", [x, g.integers([-1])])
    first = g.node("Concat", [flat, g.constant(np.array([1], x.dtype))], axis=0)
    element = g.node("Gather", [first, g.integers(0)])
    return g.node("Greater", [element, g.constant(np.array(0, x.dtype))])


def grow(g: Graph, count: int) -> None:
    """Adds about `count` nodes to a nested graph."""
    tables = [ELEMENTWISE, MOVEMENT, INDEXING] + ([RULES] if g.parent and not g.parent.parent else [])
    for _ in range(3 * count):
        if len(g.nodes) >= count:
            break
        table = g.choose(tables)
        g.attempt(g.random.choices(list(table), list(table.values()))[0])


def result(g: Graph, dtype: type) -> Value:
    """A value of this type that a node of this very graph makes."""
    own = {output for node in g.nodes for output in node.output}
    found = [value for value in g.pool if value.name in own and not value.is_sequence and value.dtype is dtype]
    if found and g.chance(0.9):
        return found[0]
    return g.node("Identity", [g.pick(dtypes=(dtype,))])


def if_(g: Graph) -> None:
    condition = scalar_condition(g)
    dtypes = [g.choose([np.float32, np.int64, np.float32, np.bool_]) for _ in range(g.random.randint(1, 2))]
    captured: dict[str, Value] = {}
    branches = []
    for name in ("then_branch", "else_branch"):
        branch = g.nested()
        grow(branch, g.random.randint(0, 4))
        outputs = [result(branch, dtype) for dtype in dtypes]
        if len({value.name for value in outputs}) < len(outputs):
            outputs[-1] = branch.node("Identity", [outputs[-1]])
        branches.append(branch.subgraph(name, [], outputs))
        captured |= branch.captured
    g.node("If", [condition], len(dtypes), captured, then_branch=branches[0], else_branch=branches[1])


def loop(g: Graph) -> None:
    """Carries one or two values, whose shapes the body may change, and collects up to two others."""
    start = [g.pick(dtypes=CARRIED, rank=(0, 3)) for _ in range(g.random.randint(0, 2))]
    body = g.nested()
    arguments = [body.value(body.name("i"), [np.array(0, np.int64)] * g.settings.sets, 0.0),
                 body.value(body.name("k"), [np.array(True)] * g.settings.sets, 0.0)]
    arguments += [Value(body.name("s"), value.plain, value.noisy, value.level) for value in start]
    body.inputs += [(value, []) for value in arguments]
    body.pool += arguments
    grow(body, g.random.randint(1, 4))
    form = g.random.randrange(4)
    if form == 3:  # ends by itself
        go_on = body.node("Less", [arguments[0], body.integers(g.random.randint(0, 4))])
    else:
        go_on = body.node("Identity", [arguments[1]])
    outputs = [go_on]
    for value in start:
        same = [item for item in body.pool if item.name in {name for node in body.nodes for name in node.output}
                and not item.is_sequence and item.dtype is value.dtype and item.shapes == value.shapes]
        outputs.append(g.choose(same) if same and g.chance(0.7) else result(body, value.dtype))
    collected = [result(body, g.choose(CARRIED)) for _ in range(g.random.randint(0 if start else 1, 2))]
    outputs += collected
    for index, value in enumerate(outputs):
        if value in outputs[:index]:
            outputs[index] = body.node("Identity", [value])
    graph = body.subgraph("body", arguments, outputs)
    for info in (*graph.input, *graph.output):  # extents may change from pass to pass
        if g.chance(0.7):
            info.type.tensor_type.ClearField("shape")
    trips = None if form == 3 and g.chance(0.5) else g.integers(g.random.randint(0, 4))
    condition = g.constant(np.array(True)) if form == 2 or not trips else None
    g.node("Loop", [trips, condition, *start], len(start) + len(collected), body.captured, body=graph)


def scan(g: Graph) -> None:
    x = g.pick(lambda value: not value.is_empty, CARRIED, (1, 3))
    place = g.random.randrange(x.rank)
    body = g.nested()
    rows = [np.take(array, 0, place) for array in x.plain]
    row = Value(body.name("r"), rows, rows if not x.level else [np.take(a, 0, place) for a in x.noisy], x.level)
    zero = Value(body.name("s"), *[[np.zeros_like(row) for row in rows]] * 2)
    body.inputs += [(zero, []), (row, [])]
    body.pool += [zero, row]
    total = body.node(g.choose(["Add", "Max"]), [zero, row])
    grow(body, g.random.randint(0, 3))
    seen = result(body, g.choose(CARRIED))
    if seen is total:
        seen = body.node("Identity", [seen])
    first = g.node("Gather", [x, g.integers(0)], axis=place)
    initial = g.node("Mul", [first, g.constant(np.array(0, x.dtype))])
    graph = body.subgraph("body", [zero, row], [total, seen])
    for info in (*graph.input, *graph.output):
        info.type.tensor_type.ClearField("shape")
    backwards = g.choose([0, 1])
    g.node("Scan", [initial, x], 2, body.captured, body=graph, num_scan_inputs=1, scan_input_axes=[place],
           scan_input_directions=[backwards], scan_output_directions=[g.choose([0, 1])])


def sequence(g: Graph) -> None:
    """Builds a sequence and takes tensors out of it."""
    x = g.pick(dtypes=NUMBERS, rank=(1, 4))
    form = g.random.randrange(3)
    if form == 0:
        place = axis(g, x.rank)
        inputs = [x] if g.chance(0.5) else [x, g.integers(g.choose([1, 2]))]
        keep = 1 if len(inputs) == 2 and g.chance(0.9) else g.choose([0, 1])
        items = g.node("SplitToSequence", inputs, axis=place, keepdims=keep)
    else:
        others = [g.pick(lambda value: value.rank == x.rank, (x.dtype,)) for _ in range(g.random.randint(0, 2))]
        items = g.node("SequenceConstruct", [x, *others])
    if g.chance(0.4):
        items = g.node("SequenceInsert", [items, items_like(g, items), *([g.integers(0)] if g.chance(0.5) else [])])
    if g.chance(0.2) and len(items.plain[0]) > 1:
        items = g.node("SequenceErase", [items, *([g.integers(-1)] if g.chance(0.5) else [])])
    if g.chance(0.5):
        g.node("SequenceAt", [items, g.integers(g.choose([0, -1]))])
    if g.chance(0.3):
        g.node("SequenceLength", [items])
    first = items.plain[0][0]
    if all(item.shape == first.shape for item in items.plain[0]):
        new = g.choose([0, 1]) if first.ndim else 1
        g.node("ConcatFromSequence", [items], axis=g.random.randint(0, first.ndim - (0 if new else 1)), new_axis=new)


def items_like(g: Graph, items: Value) -> Value:
    return g.source([row[0].shape for row in items.plain], items.dtype)


def carried_sequence(g: Graph) -> None:
    """A Loop that appends to a sequence, joined after it: how lists are exported."""
    x = g.pick(dtypes=CARRIED, rank=(1, 3))
    body = g.nested()
    step = body.value(body.name("i"), [np.array(0, np.int64)] * g.settings.sets, 0.0)
    go_on = body.value(body.name("k"), [np.array(True)] * g.settings.sets, 0.0)
    held = Value(body.name("s"), [[array] for array in x.plain], [[array] for array in x.noisy], x.level)
    body.inputs += [(value, []) for value in (step, go_on, held)]
    body.pool += [step, go_on]
    factor = body.node("Cast", [step], to=helper.np_dtype_to_tensor_dtype(np.dtype(x.dtype)))
    longer = body.node("SequenceInsert", [held, body.node("Mul", [x, factor])])
    kept = body.node("Identity", [go_on])
    graph = body.subgraph("body", [step, go_on, held], [kept, longer])
    first = g.node("SequenceConstruct", [x])
    items = g.node("Loop", [g.integers(g.random.randint(0, 3)), None, first], 1, body.captured, body=graph)
    g.node("ConcatFromSequence", [items], axis=0, new_axis=g.choose([0, 1]))


def chosen_sequence(g: Graph) -> None:
    """An If whose branches give sequences."""
    if g.opset < 13:
        raise Rejected("opset")
    x = g.pick(dtypes=CARRIED, rank=(1, 3))
    condition = scalar_condition(g)
    captured: dict[str, Value] = {}
    branches = []
    for name in ("then_branch", "else_branch"):
        branch = g.nested()
        items = [branch.pick(lambda value: value.rank == x.rank, (x.dtype,)) for _ in range(g.random.randint(0, 2))]
        made = branch.node("SequenceConstruct", [x, *items])
        branches.append(branch.subgraph(name, [], [made]))
        captured |= branch.captured
    items = g.node("If", [condition], 1, captured, then_branch=branches[0], else_branch=branches[1])
    g.node("SequenceLength", [items])
    g.node("SequenceAt", [items, g.integers(g.choose([0, -1]), g.choose([np.int32, np.int64]))])


RULES = {if_: 3, loop: 3, scan: 2, sequence: 2, carried_sequence: 1, chosen_sequence: 1}
