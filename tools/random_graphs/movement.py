"""Rules: what moves elements or computes shapes."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto, numpy_helper

from random_graphs.builder import Graph
from random_graphs.values import ALL, NUMBERS, Rejected, Value


def axis(g: Graph, rank: int) -> int:
    """An axis, sometimes counted from the end."""
    if rank == 0:
        raise Rejected("no axis")
    found = g.random.randrange(rank)
    return found - rank if g.chance(0.4) else found


def some_axes(g: Graph, rank: int, least: int = 1) -> list[int]:
    if rank < least:
        raise Rejected("too few axes")
    chosen = g.random.sample(range(rank), g.random.randint(least, rank))
    return [item - rank if g.chance(0.3) else item for item in chosen]


def with_axes(g: Graph, operator: str, x: Value, axes: list[int], since: int = 13, **attributes) -> Value:
    """A node whose axes are an attribute before the opset `since`, and an input from there on."""
    if g.opset < since:
        return g.node(operator, [x], axes=axes, **attributes)
    return g.node(operator, [x, g.integers(axes)], **attributes)


def reshape(g: Graph) -> None:
    x = g.pick()
    size, target = x.array.size, []
    if size == 0 or not x.fixed_shape:
        target = [0] * g.random.randint(0, max(x.rank - 1, 0)) + [-1]
    else:
        while size > 1 and len(target) < 4:
            factor = g.choose([k for k in range(1, size + 1) if size % k == 0])
            target.append(factor)
            size //= factor
        target.append(size)
        g.random.shuffle(target)
        if g.chance(0.4):
            target[g.random.randrange(len(target))] = -1
    g.node("Reshape", [x, g.integers(target)])


def flatten(g: Graph) -> None:
    x = g.pick()
    g.node("Flatten", [x], axis=g.random.randint(-x.rank, x.rank))


def transpose(g: Graph) -> None:
    x = g.pick()
    order = list(range(x.rank))
    g.random.shuffle(order)
    g.node("Transpose", [x], perm=order if g.chance(0.85) and order else None)


def slice_(g: Graph) -> None:
    x = g.pick(rank=(1, 6))
    axes = some_axes(g, x.rank)
    starts, ends, steps = [], [], []
    for item in axes:
        extent = x.shape[item]
        steps.append(g.choose([1, 1, 1, 2, 3, -1, -2]))
        bounds = sorted(g.random.randint(-extent - 1, extent + 1) for _ in range(2))
        if g.chance(0.6):
            bounds = [g.choose([0, 1, -extent]), g.choose([extent, -1, np.iinfo(np.int64).max])]
        first, last = bounds if steps[-1] > 0 else bounds[::-1]
        starts.append(first)
        ends.append(np.iinfo(np.int64).min if steps[-1] < 0 and g.chance(0.5) else last)
    inputs: list[Value | None] = [x, g.integers(starts), g.integers(ends)]
    if len(axes) < x.rank or g.chance(0.7) or axes != list(range(x.rank)):
        inputs.append(g.integers(axes))
    if len(inputs) == 4 and (any(step != 1 for step in steps) or g.chance(0.5)):
        inputs.append(g.integers(steps))
    g.node("Slice", inputs)


def concat(g: Graph) -> None:
    x = g.pick(rank=(1, 6))
    place = axis(g, x.rank)
    index = place % x.rank

    def fits(value: Value) -> bool:
        return all(len(a) == len(b) and a[:index] + a[index + 1:] == b[:index] + b[index + 1:]
                   for a, b in zip(value.shapes, x.shapes))

    others = [g.pick(fits, (x.dtype,), fresh=0.0) if g.chance(0.8)
              else g.source([shape[:index] + (2,) + shape[index + 1:] for shape in x.shapes], x.dtype)
              for _ in range(g.random.randint(0, 3))]
    parts = [x, *others]
    g.random.shuffle(parts)
    g.node("Concat", parts, axis=place)


def split(g: Graph) -> None:
    x = g.pick(lambda value: value.rank and max(value.shape) > 1)
    place = g.choose([k for k, extent in enumerate(x.shape) if extent > 1])
    extent, attributes, inputs = x.shape[place], {}, [x]
    if g.chance(0.5):
        first = g.random.randint(0, extent)
        parts = [first, extent - first]
        if g.opset < 13:
            attributes["split"] = parts
        else:
            inputs.append(g.integers(parts))
    else:
        parts = [0] * g.choose([k for k in range(1, extent + 1) if g.opset >= 18 or extent % k == 0])
        if g.opset >= 18:
            attributes["num_outputs"] = len(parts)
    g.node("Split", inputs, len(parts), axis=place - x.rank if g.chance(0.3) else place, **attributes)


def squeeze(g: Graph) -> None:
    x = g.pick(lambda value: 1 in value.shape)
    ones = [k for k, extent in enumerate(x.shape) if all(shape[k] == 1 for shape in x.shapes)]
    if g.chance(0.2) or not ones:
        g.node("Squeeze", [x])
    else:
        chosen = g.random.sample(ones, g.random.randint(1, len(ones)))
        with_axes(g, "Squeeze", x, [k - x.rank if g.chance(0.3) else k for k in chosen])


def unsqueeze(g: Graph) -> None:
    x = g.pick(rank=(0, 4))
    with_axes(g, "Unsqueeze", x, some_axes(g, x.rank + g.random.randint(1, 2))[: g.random.randint(1, 2)])


def expand(g: Graph) -> None:
    x = g.pick()
    target = [extent if g.chance(0.5) and x.fixed_shape else 1 for extent in x.shape]
    target = [g.random.randint(1, 4) if target[k] == 1 and extent == 1 and x.fixed_shape else target[k]
              for k, extent in enumerate(x.shape)]
    if g.chance(0.3):
        target = [g.random.randint(1, 3), *target]
    g.node("Expand", [x, g.integers(target)])


def tile(g: Graph) -> None:
    x = g.pick(rank=(1, 5))
    g.node("Tile", [x, g.integers([g.choose([1, 1, 2, 3, 0 if g.chance(0.1) else 1]) for _ in range(x.rank)])])


def pad(g: Graph) -> None:
    mode = g.choose(["constant", "constant", "edge", "reflect", "wrap"] if g.opset >= 19
                    else ["constant", "constant", "edge", "reflect"])
    x = g.pick(dtypes=ALL if mode == "constant" else NUMBERS, rank=(1, 4))
    least = min(shape[k] for shape in x.shapes for k in range(x.rank))
    if mode != "constant" and least < 2:
        raise Rejected("too small to pad from itself")
    low = -1 if mode == "constant" and g.chance(0.2) and least > 2 else 0
    widths = [g.random.randint(low, 2 if mode == "constant" else min(2, least - 1)) for _ in range(2 * x.rank)]
    inputs: list[Value | None] = [x, g.integers(widths)]
    if mode == "constant" and g.chance(0.5):
        inputs.append(g.constant(np.array(1, x.dtype)))
    g.node("Pad", inputs, mode=None if mode == "constant" and g.chance(0.3) else mode)


def depth_to_space(g: Graph) -> None:
    x = g.pick(lambda value: value.rank == 4 and value.array.size > 0, (np.float32, np.float64))
    channels, height, width = x.shape[1:]
    if channels % 4 == 0:
        g.node("DepthToSpace", [x], blocksize=2, mode=g.choose(["DCR", "CRD"]))
    elif height % 2 == 0 and width % 2 == 0:
        g.node("SpaceToDepth", [x], blocksize=2)
    else:
        raise Rejected("no block fits")


def trilu(g: Graph) -> None:
    x = g.pick(rank=(2, 4))
    inputs = [x, g.integers(g.random.randint(-3, 3))] if g.chance(0.6) else [x]
    g.node("Trilu", inputs, upper=g.choose([0, 1]))


def reverse_sequence(g: Graph) -> None:
    x = g.pick(lambda value: value.rank >= 2 and value.fixed_shape and not value.is_empty)
    time = g.choose([0, 1])
    lengths = [g.random.randint(1, x.shape[time]) for _ in range(x.shape[1 - time])]
    g.node("ReverseSequence", [x, g.integers(lengths)], time_axis=time, batch_axis=1 - time)


def center_crop_pad(g: Graph) -> None:
    x = g.pick(rank=(1, 4))
    axes = some_axes(g, x.rank)
    g.node("CenterCropPad", [x, g.integers([g.random.randint(1, 7) for _ in axes])], axes=axes)


# Shapes

def shape_of(g: Graph) -> None:
    x = g.pick()
    bounds = {}
    if g.opset >= 15 and g.chance(0.3):
        bounds = {"start": g.random.randint(-x.rank, x.rank), "end": g.random.randint(-x.rank, x.rank)}
    g.node(g.choose(["Shape", "Shape", "Size"]) if not bounds else "Shape", [x], **bounds)


def reshape_by_shape(g: Graph) -> None:
    """Shape, then Gather or Slice of single extents, arithmetic, Concat and Reshape, as exporters write it."""
    x = g.pick(rank=(1, 5))
    shape = g.node("Shape", [x])
    form = g.random.randrange(4)
    if form == 0:  # keep the first extent, flatten the others
        first = g.node("Gather", [shape, g.integers([0])], axis=0)
        target = g.node("Concat", [first, g.integers([-1])], axis=0)
    elif form == 1:  # merge the last two extents
        if x.rank < 2:
            raise Rejected("rank")
        kept = g.node("Slice", [shape, g.integers([0]), g.integers([-2])])
        pair = [g.node("Gather", [shape, g.integers(k)]) for k in (x.rank - 2, x.rank - 1)]
        merged = with_axes(g, "Unsqueeze", g.node("Mul", pair), [0])
        target = g.node("Concat", [kept, merged], axis=0)
    elif form == 2:  # a new axis of extent 1 in front, through arithmetic
        product = g.node("Div", [shape, g.integers([1])])
        target = g.node("Concat", [g.integers([1]), product], axis=0)
    else:  # the shape reversed
        target = g.node("Slice", [shape, g.integers([-1]), g.integers([-(2 ** 62)]), g.integers([0]),
                                  g.integers([-1])])
    g.node("Reshape", [x, target])


def expand_by_shape(g: Graph) -> None:
    x = g.pick(rank=(1, 4))
    shape = g.node("Shape", [x])
    if g.chance(0.5):
        g.node("ConstantOfShape", [shape], value=_one(g))
    else:
        g.node("Expand", [g.source([(1,) * x.rank] * g.settings.sets, g.choose([np.float32, np.int64])), shape])


def _one(g: Graph) -> TensorProto:
    return numpy_helper.from_array(np.array([g.choose([0, 1, 2])], g.choose([np.float32, np.int64, np.bool_])))


def positions(g: Graph) -> None:
    """Range up to an extent, sometimes brought to the operand's rank, as in masks and position embeddings."""
    x = g.pick(rank=(1, 4))
    place = g.random.randrange(x.rank)
    extent = g.node("Gather", [g.node("Shape", [x]), g.integers(place)])
    indices = g.node("Range", [g.integers(0), extent, g.integers(g.choose([1, 1, 2]))])
    if g.chance(0.5):
        with_axes(g, "Unsqueeze", indices, [g.choose([0, -1])])


def range_(g: Graph) -> None:
    dtype = g.choose([np.int64, np.int32, np.float32])
    start, step = g.random.randint(-3, 3), g.choose([1, 2, 3, -1, -2])
    count = g.random.randint(0, 6)
    values = [start, start + count * step, step]
    g.node("Range", [g.constant(np.array(value, dtype)) for value in values])


def slice_by_shape(g: Graph) -> None:
    """The first half of an axis."""
    x = g.pick(rank=(1, 4))
    place = g.random.randrange(x.rank)
    extent = g.node("Gather", [g.node("Shape", [x]), g.integers([place])])
    half = g.node("Div", [extent, g.integers([2])])
    if g.chance(0.5):
        g.node("Slice", [x, g.integers([0]), half, g.integers([place])])
    else:
        g.node("Slice", [x, half, extent, g.integers([place]), g.integers([1])])


def eye_like(g: Graph) -> None:
    g.node("EyeLike", [g.pick(dtypes=(np.float32, np.int64, np.float64), rank=(2, 2))], k=g.random.randint(-2, 2))


def swap_and_back(g: Graph) -> None:
    """Split an axis in two, transpose, merge: the heads of an attention, or a channel shuffle."""
    x = g.pick(lambda value: value.rank in (2, 3, 4) and value.shape[1] in (4, 6) and value.fixed_shape)
    halves = g.node("Reshape", [x, g.integers([x.shape[0], 2, x.shape[1] // 2, math.prod(x.shape[2:])])])
    turned = g.node("Transpose", [halves], perm=g.choose([[0, 2, 1, 3], [0, 3, 1, 2], [1, 0, 2, 3]]))
    g.node("Reshape", [turned, g.integers(x.shape if x.array.size else [-1])])


RULES = {reshape: 4, flatten: 2, transpose: 5, slice_: 6, concat: 5, split: 4, squeeze: 3, unsqueeze: 4, expand: 3,
         tile: 2, pad: 3, depth_to_space: 1, trilu: 1, reverse_sequence: 1, center_crop_pad: 1, shape_of: 3,
         reshape_by_shape: 5, expand_by_shape: 2, positions: 2, range_: 1, slice_by_shape: 2, eye_like: 1,
         swap_and_back: 2}
