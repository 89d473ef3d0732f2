"""Rules: matrix products, and the chains of elementwise operators behind them that passes look for."""

from __future__ import annotations

import math

import numpy as np

from random_graphs.builder import Graph
from random_graphs.elementwise import partner
from random_graphs.values import Rejected, Value

REAL = (np.float32, np.float64)


def weights(g: Graph, shape: tuple[int, ...], dtype: type = np.float32, positive: bool = False) -> Value:
    """Parameters of unit variance after a product over all axes but the first; sometimes given at run time."""
    array = g.settings.numbers.standard_normal(shape) / math.sqrt(max(math.prod(shape[1:]), 1))
    return g.constant((np.abs(array) + 0.5 if positive else array).astype(dtype), exact=False)


def matmul(g: Graph) -> None:
    a = g.pick(dtypes=(np.float32, np.float32, np.float64, np.int32, np.int64), rank=(1, 4))
    inner = a.shapes[0][-1]
    if any(shape[-1] != inner for shape in a.shapes):
        raise Rejected("an inner extent that varies")
    lead = () if a.rank < 3 or g.chance(0.5) else a.shape[:-2]
    lead = tuple(1 if g.chance(0.3) else extent for extent in lead)
    if not a.fixed_shape:
        lead = ()
    if a.dtype in (np.int32, np.int64) or g.chance(0.3):
        shape = lead + ((inner,) if g.chance(0.2) and not lead else (inner, g.random.randint(1, 6)))
        b = g.source([shape] * g.settings.sets, a.dtype)
    else:
        columns = g.random.randint(1, 6)
        b = weights(g, lead + (inner, columns), a.dtype)
    product = g.node("MatMul", [a, b])
    if g.chance(0.4) and b.rank > 1:
        product = g.node("Add", [product, g.source([(b.shape[-1],)] * g.settings.sets, a.dtype)])
    if g.chance(0.3) and a.dtype in REAL:
        activation(g, product)


def batched_matmul(g: Graph) -> None:
    """Two computed operands, one transposed: the scores of an attention."""
    a = g.pick(dtypes=REAL, rank=(2, 4))
    order = list(range(a.rank - 2)) + [a.rank - 1, a.rank - 2]
    product = g.node("MatMul", [a, g.node("Transpose", [a], perm=order)])
    if g.chance(0.5):
        scaled = g.node(g.choose(["Mul", "Div"]), [product, g.constant(np.array(4, a.dtype))])
        g.node("MatMul", [g.node("Softmax", [scaled], axis=-1), a])


def gemm(g: Graph) -> None:
    a = g.pick(lambda value: value.fixed_shape, REAL, (2, 2))
    turned = [g.choose([0, 1]), g.choose([0, 1])]
    rows, inner = a.shape[::-1] if turned[0] else a.shape
    columns = g.random.randint(1, 6)
    inputs = [a, weights(g, (columns, inner) if turned[1] else (inner, columns), a.dtype)]
    if g.chance(0.7):
        inputs.append(g.source([g.choose([(columns,), (1,), (), (rows, 1), (rows, columns)])] * g.settings.sets,
                               a.dtype))
    attributes = {"alpha": 0.5} if g.chance(0.3) else {}
    result = g.node("Gemm", inputs, transA=turned[0], transB=turned[1], beta=g.choose([None, 0.5, 2.0]), **attributes)
    if g.chance(0.3):
        activation(g, result)


def einsum(g: Graph) -> None:
    equation, ranks = g.choose([("ij,jk->ik", 2), ("bij,bkj->bik", 3), ("ij->ji", 2), ("ij->i", 2), ("bij,bjk", 3),
                                ("...ij,jk->...ik", 3), ("i,j->ij", 1), ("ii->i", 2), ("bhid,bhjd->bhij", 4)])
    if g.opset < 12:
        raise Rejected("opset")
    a = g.pick(dtypes=REAL, rank=(ranks, ranks))
    terms = equation.split("->")[0].split(",")
    if len(terms) == 1:
        g.node("Einsum", [a], equation=equation)
        return
    letters = dict(zip(terms[0].replace("...", "" if ranks == 2 else "."), a.shape))
    shape = tuple(letters.get(letter, g.random.randint(1, 5)) for letter in terms[1])
    g.node("Einsum", [a, g.source([shape] * g.settings.sets, a.dtype)], equation=equation)


def activation(g: Graph, x: Value) -> Value:
    kind = g.random.randrange(6)
    if kind == 0:
        return g.node("Mul", [x, g.node("Sigmoid", [x])])
    if kind == 1:  # Gelu by Erf, as exporters write it
        half = g.node("Div", [x, g.constant(np.array(math.sqrt(2), x.dtype), exact=False)])
        one = g.node("Add", [g.node("Erf", [half]), g.constant(np.array(1, x.dtype))])
        return g.node("Mul", [g.node("Mul", [x, one]), g.constant(np.array(0.5, x.dtype))])
    if kind == 2:
        return g.node("Clip", [x, g.constant(np.array(0, x.dtype)), g.constant(np.array(6, x.dtype))])
    if kind == 3:  # hard swish in pieces
        moved = g.node("Add", [x, g.constant(np.array(3, x.dtype))])
        bounded = g.node("Clip", [moved, g.constant(np.array(0, x.dtype)), g.constant(np.array(6, x.dtype))])
        return g.node("Div", [g.node("Mul", [x, bounded]), g.constant(np.array(6, x.dtype))])
    return g.node(g.choose(["Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "Elu"]), [x])


def residual(g: Graph) -> None:
    """x + f(x), the value used twice."""
    x = g.pick(dtypes=REAL)
    y = activation(g, x)
    g.node(g.choose(["Add", "Mul", "Sub"]), [x, y])
    if g.chance(0.3):
        g.node("Add", [y, partner(g, y)])


RULES = {matmul: 6, batched_matmul: 2, gemm: 3, einsum: 2, residual: 4}
