"""Rules: reductions, and what chooses elements by index."""

from __future__ import annotations

import math

import numpy as np

from random_graphs.builder import Graph
from random_graphs.movement import axis, some_axes
from random_graphs.values import Rejected, Value

REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
              "ReduceLogSumExp", "ReduceSumSquare", "ReduceLogSum")
REDUCED = (np.float32, np.float64, np.int32, np.int64)


def reduce(g: Graph) -> None:
    operator = g.choose(REDUCTIONS)
    x = g.pick(dtypes=REDUCED)
    if operator == "ReduceMean" and any(0 in shape for shape in x.shapes):
        raise Rejected("the mean of nothing is undefined")
    if operator == "ReduceLogSum":
        x = g.node("Abs", [x])
    axes = some_axes(g, x.rank) if x.rank and g.chance(0.8) else None
    keep = g.choose([0, 1, None])
    if g.opset >= (13 if operator == "ReduceSum" else 18):
        empty = axes is None and g.chance(0.3)
        inputs = [x] if axes is None and not empty else [x, g.constant(np.array(axes or [], np.int64))]
        g.node(operator, inputs, keepdims=keep, noop_with_empty_axes=g.choose([0, 1, None]))
    else:
        g.node(operator, [x], axes=axes, keepdims=keep)


def arg_extreme(g: Graph) -> None:
    x = g.pick(lambda value: not value.is_empty, REDUCED, (1, 5))
    last = g.choose([0, 1]) if g.opset >= 12 else None
    g.node(g.choose(["ArgMax", "ArgMin"]), [x], axis=axis(g, x.rank), keepdims=g.choose([0, 1]), select_last_index=last)


def topk(g: Graph) -> None:
    x = g.pick(lambda value: not value.is_empty, REDUCED, (1, 4))
    place = axis(g, x.rank)
    count = g.random.randint(0 if g.chance(0.1) else 1, min(shape[place] for shape in x.shapes))
    g.node("TopK", [x, g.integers([count])], g.choose([[True, True], [True, False], [False, True]]), axis=place,
           largest=g.choose([0, 1]))


def cumulative(g: Graph) -> None:
    x = g.pick(dtypes=REDUCED, rank=(1, 4))
    place = g.integers(axis(g, x.rank), g.choose([np.int32, np.int64]))
    g.node("CumSum", [x, place], exclusive=g.choose([0, 1]), reverse=g.choose([0, 1]))


def within(g: Graph, shape: tuple[int, ...], extent: int, negative: bool = True) -> Value:
    """Indices into an axis of this extent, negative ones among them."""
    if extent == 0:
        raise Rejected("nothing to choose from")
    low = -extent if negative else 0
    return g.constant(g.settings.numbers.integers(low, extent, shape).astype(g.choose([np.int64, np.int64, np.int32])))


def gather(g: Graph) -> None:
    x = g.pick(rank=(1, 5))
    place = axis(g, x.rank)
    extent = min(shape[place] for shape in x.shapes)
    indices = within(g, g.choose([(), (1,), (2,), (2, 3), (0,) if g.chance(0.1) else (3,)]), extent)
    g.node("Gather", [x, indices], axis=place)


def gather_by_value(g: Graph) -> None:
    """Gather with indices that the graph computes, brought into range by Mod."""
    x = g.pick(lambda value: not value.is_empty, rank=(1, 4))
    indices = g.pick(dtypes=(np.int64, np.int32), rank=(0, 2))
    place = g.random.randrange(x.rank)
    extent = g.constant(np.array(min(shape[place] for shape in x.shapes), indices.dtype))
    g.node("Gather", [x, g.node("Mod", [indices, extent])], axis=place)


def gather_elements(g: Graph) -> None:
    x = g.pick(lambda value: value.fixed_shape and not value.is_empty, rank=(1, 4))
    place = axis(g, x.rank)
    shape = list(x.shape)
    shape[place] = g.random.randint(1, 4)
    shape = [extent if k == place % x.rank else g.random.randint(1, extent) for k, extent in enumerate(shape)]
    g.node("GatherElements", [x, within(g, tuple(shape), x.shape[place])], axis=place)


def gather_nd(g: Graph) -> None:
    x = g.pick(lambda value: value.fixed_shape and not value.is_empty, rank=(1, 4))
    batch = g.random.randint(0, x.rank - 1) if g.opset >= 12 and g.chance(0.4) else 0
    depth = g.random.randint(1, x.rank - batch)
    rows = x.shape[:batch] + (g.random.randint(1, 3),)
    columns = [g.settings.numbers.integers(-x.shape[batch + k], x.shape[batch + k], rows) for k in range(depth)]
    indices = g.constant(np.stack(columns, -1).astype(np.int64))
    g.node("GatherND", [x, indices], batch_dims=batch if g.opset >= 12 else None)


def reductions_of_scatter(g: Graph, x: Value) -> str | None:
    if g.opset < 16 or g.chance(0.5):
        return None
    return g.choose(["add", "mul"] if g.opset < 18 else ["add", "mul", "max", "min"])


def scatter_elements(g: Graph) -> None:
    x = g.pick(lambda value: value.fixed_shape and not value.is_empty, (np.float32, np.int64, np.float64), (1, 4))
    place, reduction = g.random.randrange(x.rank), reductions_of_scatter(g, x)
    shape = tuple(g.random.randint(1, extent) for extent in x.shape)
    if reduction is None:  # each index once in its line
        lines = g.settings.numbers.permuted(np.broadcast_to(np.arange(x.shape[place]), shape[:place] + shape[place + 1:]
                                                            + (x.shape[place],)), axis=-1)
        indices = g.constant(np.moveaxis(lines[..., : shape[place]], -1, place).astype(np.int64))
    else:
        indices = within(g, shape, x.shape[place])
    g.node("ScatterElements", [x, indices, g.source([shape] * g.settings.sets, x.dtype)], axis=place,
           reduction=reduction)


def scatter_nd(g: Graph) -> None:
    x = g.pick(lambda value: value.fixed_shape and not value.is_empty, (np.float32, np.int64, np.float64), (1, 4))
    depth, reduction = g.random.randint(1, x.rank), reductions_of_scatter(g, x)
    places = int(np.prod(x.shape[:depth]))
    count = g.random.randint(1, min(places, 4))
    chosen = g.settings.numbers.choice(places, count, replace=reduction is not None)
    indices = np.stack(np.unravel_index(chosen, x.shape[:depth]), -1).astype(np.int64)
    if g.chance(0.3):
        indices -= np.array(x.shape[:depth])
    updates = g.source([(count,) + x.shape[depth:]] * g.settings.sets, x.dtype)
    g.node("ScatterND", [x, g.constant(indices), updates], reduction=reduction)


def onehot(g: Graph) -> None:
    indices = g.pick(dtypes=(np.int64, np.int32, np.float32), rank=(0, 3))
    if indices.level:
        raise Rejected("rounded indices")
    depth = g.integers(g.random.randint(1, 6))
    values = g.constant(np.array([0, 1], g.choose([np.float32, np.int64, np.int32])))
    g.node("OneHot", [indices, depth, values], axis=g.random.randint(-indices.rank - 1, indices.rank))


def nonzero(g: Graph) -> None:
    g.node("NonZero", [g.pick(dtypes=(np.float32, np.bool_, np.int64, np.int32, np.uint8))])


def compress(g: Graph) -> None:
    x = g.pick(rank=(1, 4))
    place = axis(g, x.rank) if g.chance(0.7) else None
    extent = min(math.prod(shape) if place is None else shape[place] for shape in x.shapes)
    condition = g.settings.numbers.integers(0, 2, g.random.randint(1, extent) if extent else 0).astype(np.bool_)
    g.node("Compress", [x, g.constant(condition)], axis=place)


def masked_select(g: Graph) -> None:
    """x[mask]: NonZero, Transpose, GatherND; and back by ScatterND."""
    x = g.pick(lambda value: not value.is_empty, (np.float32, np.int64), (1, 3))
    zero = g.constant(np.array(0, x.dtype))
    mask = g.node("Greater", [x, zero])
    places = g.node("Transpose", [g.node("NonZero", [mask])])
    found = g.node("GatherND", [x, places])
    if g.chance(0.5):
        g.node("ScatterND", [x, places, g.node("Mul", [found, found])])


def unique(g: Graph) -> None:
    x = g.pick(lambda value: not value.is_empty, (np.float32, np.int64, np.int8, np.float64), (1, 3))
    if x.level:
        raise Rejected("rounded values")
    g.node("Unique", [x], [True, g.chance(0.6), g.chance(0.6), g.chance(0.6)],
           axis=axis(g, x.rank) if g.chance(0.4) else None, sorted=g.choose([0, 1]))


RULES = {reduce: 7, arg_extreme: 2, topk: 2, cumulative: 2, gather: 5, gather_by_value: 2, gather_elements: 2,
         gather_nd: 2, scatter_elements: 2, scatter_nd: 2, onehot: 2, nonzero: 1, compress: 1, masked_select: 1,
         unique: 1}
