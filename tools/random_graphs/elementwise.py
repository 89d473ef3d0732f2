"""Rules: arithmetic, functions, comparisons, casts."""

from __future__ import annotations

import numpy as np
from onnx import helper

from random_graphs.builder import Graph
from random_graphs.values import ALL, FLOATS, INTEGERS, NUMBERS, Rejected, Value, is_float

SIGNED = tuple(dtype for dtype in NUMBERS if not np.issubdtype(dtype, np.unsignedinteger))
FUNCTIONS = {
    "Abs": {}, "Neg": {}, "Sign": {}, "Relu": {}, "Floor": {}, "Ceil": {}, "Round": {}, "Sqrt": {}, "Exp": {},
    "Log": {}, "Sigmoid": {}, "Tanh": {}, "Erf": {}, "Reciprocal": {}, "Softplus": {}, "Softsign": {}, "Sin": {},
    "Cos": {}, "Tan": {}, "Sinh": {}, "Cosh": {}, "Asin": {}, "Acos": {}, "Atan": {}, "Asinh": {}, "Atanh": {},
    "HardSwish": {}, "Mish": {}, "IsNaN": {}, "IsInf": {}, "Identity": {}, "Selu": {}, "BitwiseNot": {},
    "Elu": {"alpha": (0.5, 1.5)}, "LeakyRelu": {"alpha": (-0.5, 0.5)}, "Celu": {"alpha": (0.5, 2.0)},
    "HardSigmoid": {"alpha": (0.1, 0.5), "beta": (0.2, 0.6)}, "ThresholdedRelu": {"alpha": (-1.0, 1.5)},
    "Shrink": {"lambd": (0.1, 1.0), "bias": (0.0, 0.5)}, "Swish": {"alpha": (0.5, 1.5)}, "Gelu": {},
}
POSITIVE = {"Sqrt", "Log"}
WITHIN_ONE = {"Asin", "Acos", "Atanh"}
INTEGER_FUNCTIONS = {"Abs", "Neg", "Sign", "Relu", "Identity", "BitwiseNot"}
COMPARISONS = {"Equal": 11, "Less": 9, "Greater": 9, "LessOrEqual": 12, "GreaterOrEqual": 12}
BITWISE = ("BitwiseAnd", "BitwiseOr", "BitwiseXor")


def function(g: Graph) -> None:
    """A function of one operand, which is first brought into the function's domain."""
    operator = g.choose(list(FUNCTIONS))
    dtypes = {"BitwiseNot": INTEGERS, "Identity": ALL}.get(
        operator, SIGNED if operator in INTEGER_FUNCTIONS else FLOATS)
    x = g.pick(dtypes=dtypes)
    if operator in POSITIVE and (x.array <= 0).any():
        x = g.node("Abs", [x])
    if operator in WITHIN_ONE and (abs(x.array) >= 1).any():
        x = g.node(g.choose(["Tanh", "Softsign"]), [x])
    attributes = {name: g.random.uniform(*bounds) for name, bounds in FUNCTIONS[operator].items() if g.chance(0.6)}
    if operator == "Gelu":
        attributes["approximate"] = g.choose(["none", "tanh"])
    g.node(operator, [x], **attributes)


def partner(g: Graph, x: Value, dtypes: tuple[type, ...] | None = None) -> Value:
    """A value that broadcasts with `x`."""
    dtype = x.dtype if dtypes is None else g.choose(dtypes)

    def accept(value: Value) -> bool:
        try:
            return all(np.broadcast_shapes(a, b) is not None for a, b in zip(value.shapes, x.shapes))
        except ValueError:
            return False

    if g.chance(0.6):
        try:
            return g.pick(accept, (dtype,), fresh=0.0)
        except Rejected:
            pass
    start = g.random.randint(0, x.rank)
    ones = [g.chance(0.3) for _ in range(x.rank - start)]
    shapes = [tuple(1 if one else extent for one, extent in zip(ones, shape[start:])) for shape in x.shapes]
    if g.chance(0.1):
        shapes = [(g.random.randint(1, 3),) + (1,) * (x.rank - len(shape)) + shape for shape in shapes]
    return g.source(shapes, dtype)


def ordered(g: Graph, a: Value, b: Value) -> list[Value]:
    return [a, b] if g.chance(0.5) else [b, a]


def arithmetic(g: Graph) -> None:
    operator = g.choose(["Add", "Sub", "Mul", "Div", "Add", "Mul"])
    x = g.pick(dtypes=NUMBERS)
    a, b = ordered(g, x, partner(g, x))
    if operator == "Div" and any((array == 0).any() for array in b.plain):
        if not is_float(b.dtype):
            raise Rejected("division by zero")
        b = g.node("Add", [g.node("Abs", [b]), g.constant(np.array(1, b.dtype))])
    g.node(operator, [a, b])


def power(g: Graph) -> None:
    x = g.pick(dtypes=(np.float32, np.float64, np.int32, np.int64))
    exponent = g.choose([0, 1, 2, 3, 0.5, -1, -2] if is_float(x.dtype) else [0, 1, 2, 3])
    if exponent in (0.5, -1, -2):
        x = g.node("Add", [g.node("Abs", [x]), g.constant(np.array(0.5, x.dtype))])
    dtype = g.choose([x.dtype, np.float32, np.int64]) if float(exponent).is_integer() and g.opset >= 12 else x.dtype
    if dtype is np.int64 and exponent < 0 and not is_float(x.dtype):
        raise Rejected("a negative power of an integer")
    g.node("Pow", [x, g.constant(np.full(g.choose([(), (1,)]), exponent, dtype))])


def modulo(g: Graph) -> None:
    dtype = g.choose([np.int32, np.int64, np.float32, np.uint8, np.int8])
    x = g.pick(dtypes=(dtype,))
    divisor = g.constant(np.array(g.choose([2, 3, 5, 7] if np.issubdtype(dtype, np.unsignedinteger)
                                           else [2, 3, -3, 5]), dtype))
    g.node("Mod", [x, divisor], fmod=1 if is_float(dtype) else g.choose([0, 1]))


def variadic(g: Graph) -> None:
    operator = g.choose(["Max", "Min", "Sum", "Mean"])
    x = g.pick(dtypes=FLOATS if operator in ("Sum", "Mean") else NUMBERS)
    g.node(operator, [x] + [partner(g, x) for _ in range(g.random.randint(0, 3))])


def compare(g: Graph) -> None:
    x = g.pick(dtypes=NUMBERS)
    operator = g.choose([name for name, since in COMPARISONS.items() if since <= g.opset])
    g.node(operator, ordered(g, x, partner(g, x)))


def logical(g: Graph) -> None:
    x = g.pick(dtypes=(np.bool_,))
    if g.chance(0.2):
        g.node("Not", [x])
    else:
        g.node(g.choose(["And", "Or", "Xor"]), ordered(g, x, partner(g, x)))


def bitwise(g: Graph) -> None:
    x = g.pick(dtypes=INTEGERS)
    if g.chance(0.3):
        x = g.pick(dtypes=(np.uint8, np.uint32))
        amount = g.constant(np.array(g.choose([0, 1, 3]), x.dtype))
        g.node("BitShift", [x, amount], direction=g.choose(["LEFT", "RIGHT"]))
    else:
        g.node(g.choose(BITWISE), ordered(g, x, partner(g, x)))


def where(g: Graph) -> None:
    x = g.pick()
    g.node("Where", [partner(g, x, (np.bool_,)), *ordered(g, x, partner(g, x))])


def cast(g: Graph) -> None:
    x = g.pick()
    dtype = g.choose(ALL)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        if any(array.size and not limits.min <= float(array.min()) <= float(array.max()) <= limits.max
               for array in x.plain):
            raise Rejected("a cast out of range")
    if g.opset >= 15 and g.chance(0.3):
        g.node("CastLike", [x, g.pick(dtypes=(dtype,))])
    else:
        g.node("Cast", [x], to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def clip(g: Graph) -> None:
    x = g.pick(dtypes=NUMBERS if g.opset >= 12 else (np.float32,))
    least, greatest = (1, 4) if np.issubdtype(x.dtype, np.unsignedinteger) else (-1, 2)
    bounds = [g.constant(np.array(bound, x.dtype)) if g.chance(0.7) else None for bound in (least, greatest)]
    g.node("Clip", [x, *bounds])


def prelu(g: Graph) -> None:
    x = g.pick(dtypes=(np.float32, np.float64))
    slope = partner(g, x)
    if any(np.broadcast_shapes(a, b) != a for a, b in zip(x.shapes, slope.shapes)):
        raise Rejected("a slope larger than the operand")
    g.node("PRelu", [x, slope])


RULES = {function: 10, arithmetic: 10, power: 2, modulo: 2, variadic: 3, compare: 4, logical: 3, bitwise: 2, where: 4,
         cast: 5, clip: 2, prelu: 1}
