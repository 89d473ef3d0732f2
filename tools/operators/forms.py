"""Every operator that ONNX Runtime's CPU provider has, too, at a size at which its time is its own and not the call's.

Elementwise and moving operators work on 3.2 MB (one feature map of 64x112x112), the others on what networks give them.
"""

from __future__ import annotations

from typing import Iterator

import numpy as np
from onnx import TensorProto

from .form import Form

GENERATOR = np.random.default_rng(7)
MAP = (1, 64, 112, 112)


def floats(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape).astype(np.float32)


def positive(*shape: int) -> np.ndarray:
    return GENERATOR.uniform(0.1, 0.9, shape).astype(np.float32)


def integers(*shape: int, low: int = -100, high: int = 100, dtype: type = np.int64) -> np.ndarray:
    return GENERATOR.integers(low, high, shape).astype(dtype)


def bools(*shape: int) -> np.ndarray:
    return GENERATOR.integers(0, 2, shape).astype(bool)


def int64(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def scalar(value: float, dtype: type = np.float32) -> np.ndarray:
    return np.array(value, dtype)


UNARY = """Abs Atan Asinh Ceil Cos Elu Erf Exp Floor HardSigmoid HardSwish LeakyRelu Mish Neg Relu Round Selu
Sigmoid Sign Sin Sinh Softplus Softsign Tan Tanh ThresholdedRelu Celu Cosh IsInf IsNaN Shrink Identity""".split()
UNARY_POSITIVE = "Acos Asin Atanh Log Reciprocal Sqrt".split()
BINARY = "Add Sub Mul Div Less Greater Equal LessOrEqual GreaterOrEqual Max Min PRelu Sum Mean".split()
LOGIC = "And Or Xor".split()
REDUCTIONS = """ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
ReduceLogSum""".split()


def elementwise() -> Iterator[Form]:
    x, y = floats(*MAP), floats(*MAP)
    channel = floats(1, 64, 1, 1)
    for name in UNARY:
        yield Form(name, [x])
    for name in UNARY_POSITIVE:
        yield Form(name, [positive(*MAP)])
    yield Form("Acosh", [1 + positive(*MAP)])
    yield Form("Gelu", [x])
    yield Form("Gelu", [x], {"approximate": "tanh"}, "tanh")
    for name in BINARY:
        yield Form(name, [x, y])
    for name in ("Add", "Mul", "Div", "Max"):
        yield Form(name, [x, channel], {}, "a value for each channel")
        yield Form(name, [x, scalar(1.5)], {}, "a scalar")
        whole = integers(*MAP, low=1)
        yield Form(name, [whole, whole + 1], {}, "int64")
    yield Form("Add", [x, floats(112)], {}, "a row")
    yield Form("Pow", [positive(*MAP), scalar(2)], {}, "squares", constants=(1,))
    yield Form("Pow", [positive(*MAP), positive(*MAP)])
    yield Form("Mod", [x, np.abs(y) + 1], {"fmod": 1}, "fmod")
    yield Form("Mod", [integers(*MAP), integers(*MAP, low=1)], {}, "int64")
    yield Form("Clip", [x, scalar(-1), scalar(1)], constants=(1, 2))
    a, b = bools(*MAP), bools(*MAP)
    for name in LOGIC:
        yield Form(name, [a, b])
    yield Form("Not", [a])
    for name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        yield Form(name, [integers(*MAP, dtype=np.int32), integers(*MAP, dtype=np.int32)])
    yield Form("BitwiseNot", [integers(*MAP, dtype=np.int32)])
    bits = integers(*MAP, low=0, high=8).astype(np.uint32)
    yield Form("BitShift", [bits, bits], {"direction": "LEFT"})
    yield Form("Where", [a, x, y])
    yield Form("Cast", [x], {"to": TensorProto.INT64}, "float32 to int64")
    yield Form("Cast", [x], {"to": TensorProto.FLOAT16}, "float32 to float16")
    yield Form("Cast", [integers(*MAP, low=0, high=255, dtype=np.uint8)], {"to": TensorProto.FLOAT}, "uint8 to float32")
    yield Form("Cast", [x], {"to": TensorProto.BOOL}, "float32 to bool")
    yield Form("CastLike", [x, scalar(0, np.float64)])
    yield Form("Dropout", [x], {}, "inference")
    yield Form("Dropout", [x, scalar(0.3), scalar(True, np.bool_)], {"seed": 1}, "training", constants=(1, 2))


def movement() -> Iterator[Form]:
    x = floats(*MAP)
    yield Form("Transpose", [x], {"perm": [0, 2, 3, 1]}, "NCHW to NHWC")
    yield Form("Transpose", [floats(1, 112, 112, 64)], {"perm": [0, 3, 1, 2]}, "NHWC to NCHW")
    yield Form("Transpose", [floats(4, 12, 128, 64)], {"perm": [0, 2, 1, 3]}, "heads")
    yield Form("Transpose", [floats(1024, 768)], {"perm": [1, 0]}, "matrix")
    yield Form("Concat", [x, x], {"axis": 1}, "channels")
    yield Form("Concat", [x, x], {"axis": 3}, "innermost")
    yield Form("Split", [x, int64(32, 32)], {"axis": 1}, "channels", outputs=2, constants=(1,))
    yield Form("Split", [x, int64(56, 56)], {"axis": 3}, "innermost", outputs=2, constants=(1,))
    yield Form("Slice", [x, int64(0, 1), int64(112, 111), int64(2, 3)], {}, "window", constants=(1, 2, 3))
    yield Form("Slice", [x, int64(0, 0), int64(112, 112), int64(2, 3), int64(2, 2)], {}, "every other",
               constants=(1, 2, 3, 4))
    yield Form("Slice", [x, int64(-1), int64(-200), int64(3), int64(-1)], {}, "backwards", constants=(1, 2, 3, 4))
    for mode in ("constant", "reflect", "edge", "wrap"):
        yield Form("Pad", [x, int64(0, 0, 3, 3, 0, 0, 3, 3)], {"mode": mode}, mode, constants=(1,))
    yield Form("Tile", [x, int64(1, 2, 1, 1)], constants=(1,))
    yield Form("Tile", [floats(1, 64, 56, 56), int64(1, 1, 2, 2)], {}, "innermost", constants=(1,))
    yield Form("Expand", [floats(1, 64, 1, 1), int64(*MAP)], constants=(1,))
    yield Form("Expand", [floats(1, 1, 112, 112), int64(*MAP)], {}, "outer", constants=(1,))
    yield Form("DepthToSpace", [x], {"blocksize": 2})
    yield Form("DepthToSpace", [x], {"blocksize": 2, "mode": "CRD"}, "CRD")
    yield Form("SpaceToDepth", [x], {"blocksize": 2})
    yield Form("ReverseSequence", [floats(128, 16, 256), int64(*range(113, 129))], {"time_axis": 0, "batch_axis": 1})
    yield Form("Trilu", [floats(16, 256, 256)])
    yield Form("Reshape", [x, int64(64, -1)], constants=(1,))
    yield Form("CenterCropPad", [x, int64(100, 120)], {"axes": [2, 3]}, constants=(1,))
    yield Form("EyeLike", [floats(1024, 1024)])
    yield Form("ConstantOfShape", [int64(*MAP)])
    yield Form("Range", [scalar(0), scalar(500_000), scalar(1)])


def indexing() -> Iterator[Form]:
    table = floats(30_000, 128)
    yield Form("Gather", [table, integers(16, 128, low=0, high=30_000)], {}, "embedding", constants=(0,))
    yield Form("Gather", [floats(*MAP), integers(32, low=0, high=112)], {"axis": 3}, "innermost")
    square = floats(1024, 768)
    yield Form("GatherElements", [square, integers(1024, 768, low=0, high=1024)])
    yield Form("GatherElements", [square, integers(1024, 768, low=0, high=768)], {"axis": 1}, "rows")
    yield Form("GatherND", [square, integers(4096, 1, low=0, high=1024)])
    yield Form("ScatterElements", [square, integers(512, 768, low=0, high=1024), floats(512, 768)])
    yield Form("ScatterElements", [square, integers(512, 768, low=0, high=1024), floats(512, 768)],
               {"reduction": "add"}, "add")
    yield Form("ScatterND", [square, integers(512, 1, low=0, high=1024), floats(512, 768)])
    yield Form("OneHot", [integers(4096, low=0, high=256), scalar(256, np.int64), np.array([0, 1], np.float32)],
               constants=(1, 2))
    yield Form("Compress", [square, bools(1024)], {"axis": 0})
    yield Form("NonZero", [np.where(bools(1024, 768), square, 0).astype(np.float32)])
    yield Form("Unique", [integers(100_000, low=0, high=5000)], {}, "sorted", outputs=4)
    yield Form("TopK", [floats(64, 4096), int64(20)], {}, "20 of 4096", outputs=2, constants=(1,))
    yield Form("TopK", [floats(1, 100_000), int64(1000)], {}, "1000 of 100000", outputs=2, constants=(1,))
    yield Form("TopK", [floats(4096, 64), int64(10)], {"axis": 0}, "outer axis", outputs=2, constants=(1,))
    yield Form("ArgMax", [square], {"axis": 1}, "rows")
    yield Form("ArgMax", [floats(1, 21, 256, 256)], {"axis": 1}, "classes")
    yield Form("ArgMin", [square], {"axis": 0}, "columns")
    yield Form("CumSum", [square, scalar(1, np.int64)], {}, "rows", constants=(1,))
    yield Form("CumSum", [square, scalar(0, np.int64)], {}, "columns", constants=(1,))
    corners = GENERATOR.uniform(0, 500, (1, 2000, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + 40], 2)
    yield Form("NonMaxSuppression", [boxes, positive(1, 20, 2000), int64(100), scalar(0.5), scalar(0.3)],
               constants=(2, 3, 4))


def reduction() -> Iterator[Form]:
    x = positive(*MAP)
    for name in REDUCTIONS:
        yield Form(name, [x, int64(2, 3)], {}, "inner axes", constants=(1,), opset=18)
        yield Form(name, [x, int64(1)], {}, "channels", constants=(1,), opset=18)
    yield Form("ReduceSum", [x], {}, "all")
    yield Form("ReduceMax", [integers(*MAP), int64(3)], {}, "int64", constants=(1,))


def normalization() -> Iterator[Form]:
    x, scale, bias = floats(1, 64, 56, 56), floats(64), floats(64)
    rows, gain = floats(4, 197, 384), floats(384)
    yield Form("BatchNormalization", [x, scale, bias, floats(64), positive(64)], constants=(1, 2, 3, 4))
    yield Form("InstanceNormalization", [x, scale, bias], constants=(1, 2))
    yield Form("GroupNormalization", [x, scale, bias], {"num_groups": 8}, constants=(1, 2))
    yield Form("LayerNormalization", [rows, gain, floats(384)], constants=(1, 2))
    yield Form("RMSNormalization", [rows, gain], constants=(1,), opset=23)
    yield Form("LpNormalization", [rows])
    yield Form("MeanVarianceNormalization", [x])
    yield Form("LRN", [x], {"size": 5})
    yield Form("Softmax", [floats(12, 197, 197)])
    yield Form("Softmax", [x], {"axis": 1}, "channels")
    yield Form("LogSoftmax", [floats(64, 30_000)])
    yield Form("Hardmax", [floats(1024, 768)])


def windows() -> Iterator[Form]:
    x = floats(1, 64, 56, 56)
    yield Form("Conv", [x, floats(64, 64, 3, 3), floats(64)], {"pads": [1] * 4}, "3x3", constants=(1, 2))
    yield Form("Conv", [x, floats(256, 64, 1, 1), floats(256)], {}, "1x1", constants=(1, 2))
    yield Form("Conv", [x, floats(64, 1, 3, 3)], {"pads": [1] * 4, "group": 64}, "depthwise", constants=(1,))
    yield Form("Conv", [x, floats(64, 8, 3, 3)], {"pads": [1] * 4, "group": 8}, "grouped", constants=(1,))
    yield Form("Conv", [x, floats(64, 64, 3, 3)], {"pads": [2] * 4, "dilations": [2, 2]}, "dilated", constants=(1,))
    yield Form("Conv", [floats(1, 3, 224, 224), floats(64, 3, 7, 7)], {"pads": [3] * 4, "strides": [2, 2]}, "7x7 of 3",
               constants=(1,))
    yield Form("Conv", [floats(1, 64, 4000), floats(64, 64, 5)], {"pads": [2, 2]}, "1-D", constants=(1,))
    yield Form("Conv", [floats(1, 16, 16, 28, 28), floats(16, 16, 3, 3, 3)], {"pads": [1] * 6}, "3-D", constants=(1,))
    yield Form("Conv", [x, floats(64, 64, 3, 3)], {"pads": [1] * 4}, "weights fed")
    yield Form("ConvTranspose", [floats(1, 64, 28, 28), floats(64, 32, 4, 4)], {"pads": [1] * 4, "strides": [2, 2]},
               "4x4 by 2", constants=(1,))
    yield Form("ConvTranspose", [floats(1, 64, 28, 28), floats(64, 32, 2, 2)], {"strides": [2, 2]}, "2x2 by 2",
               constants=(1,))
    yield Form("DeformConv", [x, floats(32, 64, 3, 3), floats(1, 18, 54, 54)], constants=(1,), opset=22)
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}
    big = floats(*MAP)
    yield Form("MaxPool", [big], pool)
    yield Form("MaxPool", [big], pool, "with indices", outputs=2)
    yield Form("MaxPool", [floats(1, 256, 20, 20)], {"kernel_shape": [5, 5], "pads": [2] * 4}, "5x5 by 1")
    yield Form("AveragePool", [big], pool)
    yield Form("LpPool", [big], pool)
    yield Form("GlobalAveragePool", [big])
    yield Form("GlobalMaxPool", [big])
    indices = np.arange(64 * 56 * 56, dtype=np.int64).reshape(1, 64, 56, 56) * 4
    yield Form("MaxUnpool", [x, indices], {"kernel_shape": [2, 2], "strides": [2, 2]})
    for mode in ("nearest", "linear", "cubic"):
        yield Form("Resize", [x, None, None, int64(1, 64, 112, 112)], {"mode": mode}, mode, constants=(3,))
    yield Form("Resize", [x, None, None, int64(1, 64, 112, 112)],
               {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
               "nearest as PyTorch has it", constants=(3,))
    yield Form("GridSample", [x, np.tanh(floats(1, 56, 56, 2))], opset=20)
    yield Form("GridSample", [x, np.tanh(floats(1, 56, 56, 2))], {"mode": "cubic"}, "cubic", opset=20)
    yield Form("AffineGrid", [floats(4, 2, 3), int64(4, 3, 128, 128)], constants=(1,), opset=20)
    rois = np.array([[5, 5, 40, 40]], np.float32).repeat(100, 0)
    yield Form("RoiAlign", [x, rois, np.zeros(100, np.int64)], {"output_height": 7, "output_width": 7,
                                                                "sampling_ratio": 2})
    yield Form("MaxRoiPool", [x, np.concatenate([np.zeros((100, 1), np.float32), rois], 1)], {"pooled_shape": [7, 7]})
    yield Form("Col2Im", [floats(1, 64 * 9, 54 * 54), int64(56, 56), int64(3, 3)], constants=(1, 2))


def products() -> Iterator[Form]:
    yield Form("MatMul", [floats(512, 512), floats(512, 512)], {}, "weights", constants=(1,))
    yield Form("MatMul", [floats(512, 512), floats(512, 512)], {}, "both fed")
    yield Form("MatMul", [floats(12, 197, 64), floats(12, 64, 197)], {}, "heads")
    yield Form("MatMul", [floats(1, 1024), floats(1024, 1024)], {}, "one row", constants=(1,))
    yield Form("MatMul", [floats(256, 256).astype(np.float64)] * 2, {}, "float64")
    yield Form("Gemm", [floats(128, 512), floats(1000, 512), floats(1000)], {"transB": 1}, constants=(1, 2))
    yield Form("Einsum", [floats(4, 197, 12, 64), floats(4, 197, 12, 64)], {"equation": "bihd,bjhd->bhij"}, "attention")
    yield Form("Einsum", [floats(64, 128, 32), floats(64, 32, 48)], {"equation": "bij,bjk->bik"}, "batched product")
    yield Form("Det", [floats(256, 32, 32)], {}, "32x32")
    yield Form("Attention", [floats(1, 12, 197, 64), floats(1, 12, 197, 64), floats(1, 12, 197, 64)], opset=23)
    yield Form("RotaryEmbedding", [floats(1, 12, 197, 64), floats(197, 32), floats(197, 32),
                                   np.arange(197, dtype=np.int64)[None]], opset=23)


def sequences() -> Iterator[Form]:
    x = floats(64, 8, 128)
    for name, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        yield Form(name, [x, floats(1, gates * 128, 128) / 10, floats(1, gates * 128, 128) / 10],
                   {"hidden_size": 128}, constants=(1, 2), outputs=2)
    signal = floats(1, 16_000, 1)
    yield Form("DFT", [floats(16, 1024, 1), None, scalar(1, np.int64)], {}, "1024", constants=(2,), opset=20)
    yield Form("DFT", [floats(16, 1000, 1), None, scalar(1, np.int64)], {}, "1000", constants=(2,), opset=20)
    yield Form("STFT", [signal, scalar(160, np.int64), np.hanning(400).astype(np.float32), scalar(400, np.int64)],
               constants=(1, 2, 3))
    for name in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        yield Form(name, [scalar(100_000, np.int64)])
    yield Form("MelWeightMatrix", [scalar(80, np.int64), scalar(2048, np.int64), scalar(16_000, np.int64), scalar(0.0),
                                   scalar(8000.0)])


def randomness() -> Iterator[Form]:
    shape = {"shape": list(MAP), "seed": 1.0}
    yield Form("RandomNormal", [], shape)
    yield Form("RandomUniform", [], shape)
    yield Form("RandomNormalLike", [floats(*MAP)], {"seed": 1.0})
    yield Form("RandomUniformLike", [floats(*MAP)], {"seed": 1.0})
    yield Form("Bernoulli", [positive(*MAP)], {"seed": 1.0})
    yield Form("Multinomial", [floats(16, 1000)], {"sample_size": 1000, "seed": 1.0})


def losses() -> Iterator[Form]:
    scores, labels = floats(1, 21, 256, 256), integers(1, 256, 256, low=0, high=21)
    yield Form("SoftmaxCrossEntropyLoss", [scores, labels])
    yield Form("NegativeLogLikelihoodLoss", [scores, labels])


def quantized() -> Iterator[Form]:
    scale, zero = scalar(0.02), scalar(3, np.uint8)
    bytes_ = integers(*MAP, low=0, high=255, dtype=np.uint8)
    yield Form("QuantizeLinear", [floats(*MAP), scale, zero], constants=(1, 2))
    yield Form("DequantizeLinear", [bytes_, scale, zero], constants=(1, 2))
    yield Form("QuantizeLinear", [floats(*MAP), positive(64), np.zeros(64, np.int8)], {"axis": 1}, "a channel",
               constants=(1, 2))
    yield Form("DequantizeLinear", [bytes_.astype(np.int8), positive(64), np.zeros(64, np.int8)], {"axis": 1}, "a channel",
               constants=(1, 2))
    yield Form("DynamicQuantizeLinear", [floats(*MAP)], outputs=3)
    a, b = integers(256, 512, low=0, high=255, dtype=np.uint8), integers(512, 512, dtype=np.int8)
    yield Form("MatMulInteger", [a, b, zero, scalar(0, np.int8)], constants=(1, 2, 3))
    yield Form("QLinearMatMul", [a, scale, zero, b, scale, scalar(0, np.int8), scalar(0.5), zero],
               constants=(1, 2, 3, 4, 5, 6, 7))
    x = integers(1, 64, 56, 56, low=0, high=255, dtype=np.uint8)
    w = integers(64, 64, 3, 3, dtype=np.int8)
    yield Form("ConvInteger", [x, w, zero], {"pads": [1] * 4}, constants=(1, 2))
    yield Form("QLinearConv", [x, scale, zero, w, scale, scalar(0, np.int8), scalar(0.5), zero], {"pads": [1] * 4}, "3x3",
               constants=(1, 2, 3, 4, 5, 6, 7))


def text() -> Iterator[Form]:
    words = np.array([f"Word {index % 977} of a line" for index in range(20_000)])
    yield Form("StringNormalizer", [words], {"case_change_action": "LOWER"}, "lower")
    yield Form("StringConcat", [words, words], opset=20)
    yield Form("StringSplit", [words], {}, outputs=2, opset=20)
    yield Form("RegexFullMatch", [words], {"pattern": r"Word \d+ of .*"}, opset=20)
    yield Form("TfIdfVectorizer", [integers(64, 1000, low=0, high=50, dtype=np.int32)],
               {"mode": "TF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 1,
                "ngram_counts": [0, 50], "ngram_indexes": list(range(100)),
                "pool_int64s": [*range(50), *(number % 50 for number in range(100))]}, opset=9)


def machine_learning() -> Iterator[Form]:
    domain = "ai.onnx.ml"
    rows = floats(4096, 16)
    trees, depth = 100, 6
    splits = 2**depth - 1
    nodes = 2 * splits + 1
    ids = np.tile(np.arange(nodes), trees)
    inner = ids < splits
    counts = trees * (nodes - splits)
    attributes = {
        "nodes_treeids": np.repeat(np.arange(trees), nodes).tolist(), "nodes_nodeids": ids.tolist(),
        "nodes_featureids": np.where(inner, ids % 16, 0).tolist(),
        "nodes_values": np.where(inner, GENERATOR.standard_normal(ids.size), 0).astype(float).tolist(),
        "nodes_modes": np.where(inner, "BRANCH_LEQ", "LEAF").tolist(),
        "nodes_truenodeids": np.where(inner, 2 * ids + 1, 0).tolist(),
        "nodes_falsenodeids": np.where(inner, 2 * ids + 2, 0).tolist(),
        "target_treeids": np.repeat(np.arange(trees), nodes - splits).tolist(),
        "target_nodeids": np.tile(np.arange(splits, nodes), trees).tolist(), "target_ids": [0] * counts,
        "target_weights": GENERATOR.standard_normal(counts).astype(float).tolist(), "n_targets": 1}
    yield Form("TreeEnsembleRegressor", [rows], attributes, "100 trees of depth 6", domain=domain)
    yield Form("Scaler", [rows], {"offset": [0.5] * 16, "scale": [2.0] * 16}, domain=domain)
    yield Form("Normalizer", [rows], {"norm": "L2"}, domain=domain)
    yield Form("Imputer", [rows], {"imputed_value_floats": [0.0], "replaced_value_float": float("nan")}, domain=domain)
    yield Form("Binarizer", [rows], {"threshold": 0.0}, domain=domain)
    yield Form("LinearRegressor", [rows], {"coefficients": [0.5] * 16, "intercepts": [1.0]}, domain=domain)
    yield Form("LinearClassifier", [rows], {"coefficients": [0.5] * 48, "intercepts": [1.0] * 3, "post_transform": "SOFTMAX",
                                            "classlabels_ints": [0, 1, 2]}, domain=domain, outputs=2)
    yield Form("LabelEncoder", [integers(100_000, low=0, high=100)],
               {"keys_int64s": list(range(100)), "values_floats": [float(number) for number in range(100)],
                "default_float": 0.0}, domain=domain)
    yield Form("OneHotEncoder", [integers(4096, low=0, high=32)], {"cats_int64s": list(range(32))}, domain=domain)
    yield Form("ArrayFeatureExtractor", [rows, int64(1, 3, 5)], domain=domain, constants=(1,))


def all_forms() -> list[Form]:
    families = (elementwise, movement, indexing, reduction, normalization, windows, products, sequences, randomness, losses,
                quantized, text, machine_learning)
    return [form for family in families for form in family()]
