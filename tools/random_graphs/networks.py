"""Rules: convolutions, pooling, normalisations, resizing, recurrent layers, and the products."""

from __future__ import annotations

import numpy as np

from random_graphs.builder import Graph
from random_graphs.movement import axis, with_axes
from random_graphs.products import REAL, activation, weights
from random_graphs.products import RULES as PRODUCTS
from random_graphs.values import Rejected, Value


def picture(g: Graph, dtypes: tuple[type, ...] = REAL, ranks: tuple[int, ...] = (3, 4, 5)) -> Value:
    """A value [N, C, ...] of some extent, enlarged when it is small."""
    rank = g.choose(ranks)
    found = [value for value in g.visible() if not value.is_sequence and value.dtype in dtypes and value.rank == rank
             and min(value.shape) > 0 and min(value.shape[2:]) > 2 and value.fixed_shape]
    if found and g.chance(0.7):
        return g.choose(found)
    extents = (g.random.randint(1, 2), g.choose([1, 2, 3, 4, 6, 8, 16]))
    extents += tuple(g.random.randint(3, 9) for _ in range(rank - 2))
    batch = next(iter(g.settings.extents.values()), (extents[0],) * g.settings.sets)
    if g.parent or not all(batch) or g.chance(0.5):
        batch = (extents[0],) * g.settings.sets
    return g.source([(batch[k],) + extents[1:] for k in range(g.settings.sets)], g.choose(dtypes[:1] * 3 + dtypes))


def windows(g: Graph, x: Value, dilated: bool = True) -> dict:
    spatial = x.rank - 2
    kernel = [g.random.randint(1, 3) for _ in range(spatial)]
    result: dict = {"kernel_shape": kernel}
    if g.chance(0.5):
        result["strides"] = [g.random.randint(1, 3) for _ in range(spatial)]
    if dilated and g.chance(0.3):
        result["dilations"] = [g.random.randint(1, 2) for _ in range(spatial)]
    spans = [(size - 1) * step for size, step in zip(kernel, result.get("dilations", [1] * spatial))]
    choice = g.random.random()
    if choice < 0.5:
        result["pads"] = [min(g.random.randint(0, 2), kernel[k % spatial] - 1) for k in range(2 * spatial)]
    elif choice < 0.7:
        result["auto_pad"] = g.choose(["SAME_UPPER", "SAME_LOWER", "VALID"])
    if any(extent <= span for extent, span in zip(x.shape[2:], spans)):
        raise Rejected("a window larger than the picture")
    return result


def conv(g: Graph) -> None:
    x = picture(g)
    attributes = windows(g, x)
    channels = x.shape[1]
    group = g.choose([k for k in range(1, channels + 1) if channels % k == 0])
    filters = group * g.random.randint(1, 4)
    inputs = [x, weights(g, (filters, channels // group, *attributes["kernel_shape"]), x.dtype)]
    if g.chance(0.6):
        inputs.append(weights(g, (filters,), x.dtype))
    if g.chance(0.3):
        del attributes["kernel_shape"]
    y = g.node("Conv", inputs, group=group, **attributes)
    if g.chance(0.4):
        y = batch_norm(g, y)
    if g.chance(0.3) and y.fixed_shape:
        y = g.node("Add", [y, g.source(y.shapes, y.dtype)])
    if g.chance(0.5):
        activation(g, y)


def conv_transpose(g: Graph) -> None:
    x = picture(g, (np.float32,), (3, 4))
    spatial, channels = x.rank - 2, x.shape[1]
    group = g.choose([k for k in range(1, channels + 1) if channels % k == 0])
    kernel = [g.random.randint(1, 3) for _ in range(spatial)]
    strides = [g.random.randint(1, 3) for _ in range(spatial)]
    attributes: dict = {"strides": strides, "group": group}
    if g.chance(0.5):
        attributes["pads"] = [g.random.randint(0, kernel[k % spatial] - 1) for k in range(2 * spatial)]
    if g.chance(0.3):
        attributes["output_padding"] = [g.random.randint(0, stride - 1) for stride in strides]
    if g.chance(0.2):
        attributes["dilations"] = [g.random.randint(1, 2) for _ in range(spatial)]
    filters = g.random.randint(1, 3)
    inputs = [x, weights(g, (channels, filters, *kernel))]
    if g.chance(0.5):
        inputs.append(weights(g, (filters * group,)))
    g.node("ConvTranspose", inputs, kernel_shape=kernel, **attributes)


def pool(g: Graph) -> None:
    x = picture(g)
    operator = g.choose(["MaxPool", "AveragePool", "LpPool", "MaxPool", "AveragePool"])
    dilated = operator == "MaxPool" or g.opset >= 19
    attributes = windows(g, x, dilated)
    if operator == "LpPool":
        attributes |= {"p": g.choose([1, 2, 3])}
    if operator == "AveragePool":
        attributes["count_include_pad"] = g.choose([0, 1])
    if g.chance(0.3) and operator != "LpPool" and "auto_pad" not in attributes:
        attributes["ceil_mode"] = 1
    if operator == "MaxPool" and g.chance(0.3):
        g.node(operator, [x], 2, **attributes)
    else:
        g.node(operator, [x], **attributes)


def global_pool(g: Graph) -> None:
    x = picture(g)
    y = g.node(g.choose(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]), [x])
    if g.chance(0.4):  # squeeze and excitation
        channels = x.shape[1]
        y = g.node("Conv", [y, weights(g, (channels, channels) + (1,) * (x.rank - 2), x.dtype)])
        g.node("Mul", [x, g.node(g.choose(["Sigmoid", "HardSigmoid"]), [y])])


def batch_norm(g: Graph, x: Value | None = None) -> Value:
    x = x or g.pick(lambda value: not value.is_empty, REAL, (2, 5))
    channels = x.shape[1]
    if any(shape[1] != channels for shape in x.shapes):
        raise Rejected("channels that vary")
    parameters = [weights(g, (channels,), x.dtype, positive) for positive in (True, False, False, True)]
    return g.node("BatchNormalization", [x, *parameters], epsilon=g.choose([None, 1e-3]))


def normalisation(g: Graph) -> None:
    x = picture(g) if g.chance(0.6) else g.pick(lambda value: not value.is_empty, REAL, (2, 4))
    kind = g.random.randrange(6)
    channels = x.shape[1]
    fixed = all(shape[1] == channels for shape in x.shapes)
    if kind == 0 and x.rank > 2 and fixed:
        g.node("InstanceNormalization", [x, weights(g, (channels,), x.dtype), weights(g, (channels,), x.dtype)])
    elif kind == 1 and g.opset >= 17:
        place = axis(g, x.rank)
        if any(shape[place:] != x.shape[place:] for shape in x.shapes):
            raise Rejected("normalised extents that vary")
        inputs = [x, weights(g, x.shape[place:], x.dtype)]
        inputs += [weights(g, x.shape[place:], x.dtype)] if g.chance(0.6) else []
        g.node("LayerNormalization", inputs, axis=place, epsilon=g.choose([None, 1e-2]))
    elif kind == 2:
        layer_norm_in_pieces(g, x)
    elif kind == 3:
        g.node("LpNormalization", [x], axis=axis(g, x.rank), p=g.choose([1, 2]))
    elif kind == 4 and x.rank == 4:
        g.node("LRN", [x], size=g.choose([1, 3, 5]), alpha=0.1, beta=0.75, bias=1.0)
    elif kind == 5 and g.opset >= 18 and fixed and channels % 2 == 0:
        per = channels if g.opset >= 21 else 2
        g.node("GroupNormalization", [x, weights(g, (per,), x.dtype), weights(g, (per,), x.dtype)], num_groups=2)
    else:
        raise Rejected("a form that does not fit")


def layer_norm_in_pieces(g: Graph, x: Value) -> None:
    mean = with_axes(g, "ReduceMean", x, [-1], 18)
    centred = g.node("Sub", [x, mean])
    square = g.node("Pow", [centred, g.constant(np.array(2, x.dtype))])
    variance = with_axes(g, "ReduceMean", square, [-1], 18)
    deviation = g.node("Sqrt", [g.node("Add", [variance, g.constant(np.array(1e-2, x.dtype), exact=False)])])
    normal = g.node("Div", [centred, deviation])
    if g.chance(0.7) and all(shape[-1] == x.shape[-1] for shape in x.shapes):
        normal = g.node("Mul", [normal, weights(g, (x.shape[-1],), x.dtype)])
        g.node("Add", [normal, weights(g, (x.shape[-1],), x.dtype)])


def softmax(g: Graph) -> None:
    x = g.pick(dtypes=REAL, rank=(1, 4))
    g.node(g.choose(["Softmax", "LogSoftmax", "Softmax", "Hardmax"]), [x],
           axis=axis(g, x.rank) if g.chance(0.8) else None)


def resize(g: Graph) -> None:
    x = picture(g, (np.float32,), (3, 4))
    mode = g.choose(["nearest", "linear", "cubic"])
    if mode == "cubic" and x.rank != 4:
        mode = "linear"
    factors = [g.choose([0.5, 1.0, 1.5, 2.0, 3.0]) for _ in range(x.rank - 2)]
    attributes = {"mode": mode, "coordinate_transformation_mode":
                  g.choose(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])}
    if mode == "nearest":
        attributes["nearest_mode"] = g.choose(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
        if g.chance(0.5):
            attributes |= {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    if mode == "cubic":
        attributes["cubic_coeff_a"] = g.choose([-0.75, -0.5])
    if mode != "nearest" and g.opset >= 18 and g.chance(0.3):
        attributes["antialias"] = 1
    if g.chance(0.5):
        g.node("Resize", [x, None, g.constant(np.array([1, 1, *factors], np.float32))], **attributes)
    elif x.fixed_shape:
        sizes = [max(1, int(extent * factor)) for extent, factor in zip(x.shape[2:], factors)]
        g.node("Resize", [x, None, None, g.integers([*x.shape[:2], *sizes])], **attributes)
    else:  # the leading extents from the shape, as exporters write it
        lead = g.node("Slice", [g.node("Shape", [x]), g.integers([0]), g.integers([2])])
        sizes = g.integers([max(1, int(extent * factor)) for extent, factor in zip(x.shape[2:], factors)])
        g.node("Resize", [x, None, None, g.node("Concat", [lead, sizes], axis=0)], **attributes)


def recurrent(g: Graph) -> None:
    operator, gates = g.choose([("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    direction = g.choose(["forward", "reverse", "bidirectional"])
    steps, batch, features, hidden = (g.random.randint(1, 4) for _ in range(4))
    ways = 2 if direction == "bidirectional" else 1
    found = [value for value in g.visible() if not value.is_sequence and value.dtype is np.float32 and value.rank == 3
             and value.fixed_shape and not value.is_empty]
    x = g.choose(found) if found and g.chance(0.6) else g.source([(steps, batch, features)] * g.settings.sets,
                                                                  np.float32)
    steps, batch, features = x.shape
    inputs: list[Value | None] = [x, weights(g, (ways, gates * hidden, features)),
                                  weights(g, (ways, gates * hidden, hidden))]
    inputs.append(weights(g, (ways, 2 * gates * hidden)) if g.chance(0.6) else None)
    lengths = [g.random.randint(1, steps) for _ in range(batch)]
    inputs.append(g.integers(lengths, np.int32) if g.chance(0.3) else None)
    inputs.append(weights(g, (ways, batch, hidden)) if g.chance(0.4) else None)
    if operator == "LSTM" and inputs[5] and g.chance(0.7):
        inputs.append(weights(g, (ways, batch, hidden)))
    while inputs[-1] is None:
        inputs.pop()
    outputs = [g.chance(0.8), g.chance(0.6)] + ([g.chance(0.4)] if operator == "LSTM" else [])
    if not any(outputs):
        outputs[0] = True
    before = g.choose([0, 1]) if operator == "GRU" else None
    g.node(operator, inputs, outputs, hidden_size=hidden, direction=direction, linear_before_reset=before)


RULES = PRODUCTS | {conv: 6, conv_transpose: 2, pool: 4, global_pool: 2,
         batch_norm: 2, normalisation: 4, softmax: 3, resize: 3, recurrent: 2}
