"""What a graph's value is, and which values are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLOATS = (np.float32, np.float64, np.float16)
INTEGERS = (np.int64, np.int32, np.int8, np.uint8, np.int16, np.uint32)
NUMBERS = FLOATS + INTEGERS
ALL = NUMBERS + (np.bool_,)
LARGEST_SIZE = 20_000
LARGEST_MAGNITUDE = {np.float16: 500.0}
NOISE = {np.float32: 1e-6, np.float64: 1e-6, np.float16: 1e-3}
ALLOWED_CHANGE = {1e-6: 1e-3, 1e-3: 3e-2}
"""By the level of the noise: the greatest change, relative to the largest element, of a value that is kept."""

EXACT = frozenset("""Abs Add Cast Ceil Clip Compress Concat ConstantOfShape CumSum DepthToSpace Expand Floor Gather
GatherElements GatherND Identity MatMul Max MaxPool Min Mul Neg OneHot Pad PRelu ReduceMax ReduceMin ReduceSum
ReduceSumSquare Relu Reshape ReverseSequence Round ScatterElements ScatterND Sign Slice SpaceToDepth Split Squeeze Sub
Sum Tile TopK Transpose Trilu Unsqueeze Where Flatten GlobalMaxPool If Loop Scan SequenceConstruct SequenceAt
SequenceInsert SequenceErase ConcatFromSequence SplitToSequence Unique Range EyeLike CenterCropPad
Einsum""".split())
"""Operators that do not round small multiples of 1/16."""


class Rejected(Exception):
    """A rule found nothing to work on, or made what is not to be compared."""


@dataclass(eq=False)
class Value:
    """By data set, what it is and what it is with noise (the same object where nothing is rounded)."""

    name: str
    plain: list[np.ndarray | list]
    noisy: list[np.ndarray | list]
    level: float = 0.0
    """The level of the noise; 0: exact."""

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.plain[0], list)

    @property
    def array(self) -> np.ndarray:
        return self.plain[0]

    @property
    def dtype(self) -> type:
        return (self.plain[0][0] if self.is_sequence else self.plain[0]).dtype.type

    @property
    def shape(self) -> tuple[int, ...]:
        return self.plain[0].shape

    @property
    def rank(self) -> int:
        return self.plain[0].ndim

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [array.shape for array in self.plain]

    @property
    def is_empty(self) -> bool:
        """Whether it has no elements in one of the data sets."""
        return any(0 in shape for shape in self.shapes)

    @property
    def fixed_shape(self) -> bool:
        return all(shape == self.shape for shape in self.shapes)


def is_float(dtype: type) -> bool:
    return np.issubdtype(dtype, np.floating)


def change(plain: np.ndarray, noisy: np.ndarray) -> float:
    return float(np.abs(plain.astype(np.float64) - noisy).max()) if plain.size else 0.0


def scale(plain: np.ndarray) -> float:
    return float(np.abs(plain.astype(np.float64)).max()) if plain.size else 0.0
