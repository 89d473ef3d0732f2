#!/usr/bin/env python3
"""Runs single operators of ONNX Runtime's own domain in ONNX Runtime and in Sardonyx on the same random inputs.

Prints the largest error of each form, relative to the largest element of the output; exit code 1 when one is above the
limit or when either cannot run it. Quantized outputs may differ by one step, where a value lies between two.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, save

from operators.form import fed, single_node

LIMIT = 1e-5
MICROSOFT = "com.microsoft"
GENERATOR = np.random.default_rng(4)


def floats(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape).astype(np.float32)


def int32(*values) -> np.ndarray:
    return np.array(values, np.int32)


def packed(*shape: int) -> np.ndarray:
    return GENERATOR.integers(0, 256, shape).astype(np.uint8)


def bytes_of(dtype, *shape: int) -> np.ndarray:
    limits = np.iinfo(dtype)
    return GENERATOR.integers(limits.min, limits.max + 1, shape).astype(dtype)


def weights_of(dtype, *shape: int) -> np.ndarray:
    """Without VNNI ONNX Runtime adds pairs of uint8 x int8 products in 16 bits, which 7 bits of weight cannot fill."""
    return bytes_of(dtype, *shape) // 2 if dtype == np.int8 else bytes_of(dtype, *shape)


def scale(*shape: int, low: float = 0.01, high: float = 0.05) -> np.ndarray:
    return GENERATOR.uniform(low, high, shape).astype(np.float32)


@dataclass
class Form:
    """One node: inputs by position (None: omitted), which outputs are asked for, and how many are compared."""

    operator: str
    inputs: list[np.ndarray | None]
    attributes: dict = field(default_factory=dict)
    outputs: list[bool] = field(default_factory=lambda: [True])
    domain: str = MICROSOFT
    note: str = ""
    constants: tuple[int, ...] = ()
    compared: int | None = None
    type: int = TensorProto.FLOAT

    def model(self):
        model = single_node(self.operator, self.inputs, self.attributes, self.outputs, self.constants, self.domain,
                            {"": 17, MICROSOFT: 1}, 8, self.type)
        return model, fed(self.inputs, self.constants)


def forms() -> list[Form]:
    x, b = floats(2, 5, 16), floats(16)
    q, k, v = floats(2, 5, 24), floats(2, 7, 24), floats(2, 7, 24)
    past = [floats(2, 3, 4, 8), floats(2, 3, 4, 8)]
    image, weight = floats(1, 4, 9, 9), floats(6, 4, 3, 3)
    positions = np.arange(5, dtype=np.int64)[None].repeat(2, 0)
    heads = {"num_heads": 3}
    both = [True, True, True]
    result = [
        Form("Gelu", [x]),
        Form("QuickGelu", [x]),
        Form("QuickGelu", [x], {"alpha": 1.0}),
        Form("FastGelu", [x]),
        Form("FastGelu", [x, b], note="bias"),
        Form("BiasGelu", [x, b]),
        Form("SkipLayerNormalization", [x, floats(2, 5, 16), b, floats(16), floats(16)], {"epsilon": 1e-5},
             [True, False, False, True]),
        Form("SkipLayerNormalization", [x, floats(5, 16), b], note="skip of one batch"),
        Form("SkipSimplifiedLayerNormalization", [x, floats(2, 5, 16), b], {"epsilon": 1e-5},
             [True, False, False, True]),
        Form("SimplifiedLayerNormalization", [x, b], {"axis": -1, "epsilon": 1e-5}, domain=""),
        Form("FusedMatMul", [floats(2, 4, 3), floats(2, 4, 5)], {"transA": 1, "alpha": 0.5}),
        Form("FusedMatMul", [floats(2, 3, 4), floats(5, 4)], {"transB": 1}, constants=(1,)),
        Form("TransposeMatMul", [floats(2, 4, 3), floats(2, 5, 4)], {"transA": 1, "transB": 1}),
        Form("FusedGemm", [floats(3, 4), floats(4, 5), b[:5]], {"activation": "LeakyRelu", "activation_alpha": 0.2}),
        Form("Trilu", [floats(4, 5)], {"upper": 0}),
        Form("GridSample", [image, np.tanh(floats(1, 3, 3, 2))], {"mode": "bilinear"}),
        Form("RotaryEmbedding", [q, positions, floats(9, 4), floats(9, 4)]),
        Form("RotaryEmbedding", [floats(2, 3, 5, 8), np.array([2], np.int64), floats(9, 4), floats(9, 4)],
             {"interleaved": 1}, note="4-D, first position"),
        Form("MultiHeadAttention", [q, k, v], heads),
        Form("MultiHeadAttention", [q, k, v, floats(72)], {**heads, "scale": 0.3}, note="bias"),
        Form("MultiHeadAttention", [q, k, v, None, int32(7, 4)], heads, note="key lengths"),
        Form("MultiHeadAttention", [q, k, v, None, int32([1] * 7, [1, 1, 0, 1, 0, 1, 0])], heads, note="key mask"),
        Form("MultiHeadAttention", [q, k, v, None, None, floats(1, 3, 5, 7)], heads, note="attention bias"),
        Form("MultiHeadAttention", [q, q * 2, q * 3], {**heads, "unidirectional": 1}, note="causal"),
        Form("MultiHeadAttention", [q, q * 2, q * 3, None, None, None, *past], heads, both, note="past"),
        Form("MultiHeadAttention", [q, floats(2, 3, 7, 8), floats(2, 3, 7, 8)], heads, note="4-D key and value"),
        Form("Attention", [x, floats(16, 72), floats(72)], heads),
        Form("Attention", [x, floats(16, 72), floats(72), int32(5, 3)], heads, note="key lengths"),
        Form("Attention", [x, floats(16, 72), floats(72), int32([1] * 5, [1, 1, 0, 1, 0])], heads, note="key mask"),
        Form("Attention", [x, floats(16, 72), floats(72), None, np.stack(past)], {**heads, "unidirectional": 1},
             [True, True], note="past, causal"),
        Form("Attention", [x, floats(16, 60), floats(60)], {**heads, "qkv_hidden_sizes": [24, 24, 12]}),
    ]
    new, cache = [floats(1, 3, 64), floats(1, 3, 32), floats(1, 3, 32)], [floats(1, 2, 6, 16), floats(1, 2, 6, 16)]
    one = [floats(2, 1, 64), floats(2, 1, 32), floats(2, 1, 32), floats(2, 2, 6, 16), floats(2, 2, 6, 16)]
    grouped, rotary = {"num_heads": 4, "kv_num_heads": 2}, [floats(16, 8), floats(16, 8)]
    prompt, later = [int32(2), np.array(3, np.int32)], [int32(8), np.array(9, np.int32)]
    turned = {**grouped, "do_rotary": 1}
    result += [
        Form("GroupQueryAttention", [*new, None, None, *prompt], grouped, both, note="prompt"),
        Form("GroupQueryAttention", [*new, None, None, *prompt, *rotary], turned, both, note="rotary"),
        Form("GroupQueryAttention", [floats(1, 3, 128), None, None, *cache, *later], grouped, both, note="packed"),
        Form("GroupQueryAttention", [*new, *cache, *later, *rotary], {**turned, "rotary_interleaved": 1}, both,
             note="past, interleaved"),
        Form("GroupQueryAttention", [*new, *cache, *later], {**grouped, "local_window_size": 4}, both, note="window"),
        Form("GroupQueryAttention", [*new, *cache, *later], {**grouped, "softcap": 2.0}, both, note="softcap"),
        Form("GroupQueryAttention", [*one, int32(6, 3), np.array(7, np.int32)], grouped, both, compared=1,
             note="uneven lengths"),
        Form("Inverse", [floats(2, 5, 5)]),
    ]
    for activation, parameters in [("Relu", None), ("LeakyRelu", [0.2]), ("Clip", [-1.0, 1.0]),
                                   ("HardSigmoid", [0.3, 0.4])]:
        attributes = {"activation": activation, "pads": [1, 1, 1, 1]}
        if parameters:
            attributes["activation_params"] = parameters
        result.append(Form("FusedConv", [image, weight, floats(6)], attributes, constants=(1, 2)))
    sum_input = [image, weight, floats(6), floats(1, 6, 9, 9)]
    result.append(Form("FusedConv", sum_input, {"activation": "Relu", "pads": [1, 1, 1, 1]}, note="sum"))
    for bits, zero in [(4, False), (4, True), (8, True)]:
        blocks, size = 3, 32
        inputs = [floats(2, 3, 96), packed(10, blocks, size * bits // 8), np.abs(floats(10 * blocks))]
        inputs += [packed(10 * ((blocks * bits + 7) // 8))] if zero else []
        attributes = {"K": 96, "N": 10, "bits": bits, "block_size": size}
        result.append(Form("MatMulNBits", inputs, attributes, constants=tuple(range(1, len(inputs)))))
    return result + quantized_forms()


QUANTIZED = {np.uint8: TensorProto.UINT8, np.int8: TensorProto.INT8}


def quantized(dtype, *shape: int) -> list[np.ndarray]:
    """A tensor with its scale and zero point."""
    return [bytes_of(dtype, *shape), scale(), bytes_of(dtype)]


def quantized_forms() -> list[Form]:
    result = []
    for dtype, kind in QUANTIZED.items():
        def form(operator, inputs, attributes=None, kind=kind, dtype=dtype, **more):
            note = more.pop("note", "")
            note = f"{np.dtype(dtype).name} {note}".strip()
            result.append(Form(operator, inputs, attributes or {}, type=kind, note=note, **more))

        image, other = quantized(dtype, 2, 3, 9, 8), quantized(dtype, 3, 1, 8)
        narrow = [scale(low=0.002, high=0.004), bytes_of(dtype)]
        product = [np.array(0.4, np.float32), bytes_of(dtype)]
        for operator in ("QLinearAdd", "QLinearMul"):
            form(operator, image + other + [np.array(0.05, np.float32), bytes_of(dtype)])
        form("QLinearSigmoid", image + narrow)
        form("QLinearLeakyRelu", image + [scale(), bytes_of(dtype)], {"alpha": 0.1})
        form("QLinearSoftmax", image + narrow, {"axis": -1, "opset": 13})
        form("QLinearSoftmax", image + narrow, {"axis": 1, "opset": 11}, note="opset 11")
        window = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
        coarser = [np.array(image[1] * 1.3591, np.float32), image[2]]
        form("QLinearAveragePool", image + coarser, window)
        form("QLinearAveragePool", image + coarser, {**window, "count_include_pad": 1, "ceil_mode": 1})
        form("QLinearGlobalAveragePool", image + [np.array(image[1] / 4, np.float32), image[2]])
        form("QLinearConcat", [scale(), bytes_of(dtype), *image, *quantized(dtype, 2, 4, 9, 8)], {"axis": 1})
        form("QLinearWhere", [GENERATOR.random((2, 3, 9, 1)) > 0.5, *image, *other, scale(), bytes_of(dtype)])
        # ONNX Runtime has no int8 with uint8 weights.
        for weights in [np.int8] if dtype == np.int8 else QUANTIZED:
            w, name = weights_of(weights, 12, 7), np.dtype(weights).name
            a = quantized(dtype, 5, 12)
            form("QLinearMatMul", [*a, w, scale(), bytes_of(weights), *product], domain="", note=f"{name}")
            form("QLinearMatMul", [*quantized(dtype, 2, 5, 12), w, scale(7), bytes_of(weights, 7), *product],
                 domain="", note=f"{name} columns, packed", constants=(3, 5))
            form("QGemm", [*quantized(dtype, 12, 5), w.T.copy(), scale(7), bytes_of(weights, 7),
                           int32(*GENERATOR.integers(-900, 900, 7)), *product],
                 {"transA": 1, "transB": 1, "alpha": 0.7}, note=f"{name}")
            form("QGemm", [*a, w, scale(), bytes_of(weights)], kind=TensorProto.FLOAT, note=f"{name} to float")
            form("MatMulInteger", [bytes_of(dtype, 3, 1, 5, 12), weights_of(weights, 2, 12, 7), bytes_of(dtype),
                                   bytes_of(weights)], kind=TensorProto.INT32, domain="", note=f"{name}")
            form("MatMulIntegerToFloat", [bytes_of(dtype, 2, 5, 12), w, scale(), scale(7), bytes_of(dtype),
                                          bytes_of(weights, 7), floats(7)], kind=TensorProto.FLOAT, note=f"{name}")
            for constants in ((), (3, 5, 8)):
                kernel = weights_of(weights, 6, 4, 3, 3)
                spatial = {"pads": [1, 0, 2, 1], "strides": [2, 1], "dilations": [1, 2]}
                inputs = [*quantized(dtype, 2, 4, 11, 10), kernel, scale(6), np.zeros(6, weights), *product,
                          int32(*GENERATOR.integers(-2000, 2000, 6))]
                form("QLinearConv", inputs, spatial, domain="", constants=constants, note=f"{name} {constants}")
            grouped = [*quantized(dtype, 2, 4, 11, 10), weights_of(weights, 8, 1, 3, 3), scale(), bytes_of(weights),
                       *product]
            form("QLinearConv", grouped, {"group": 4, "auto_pad": "SAME_UPPER"}, domain="", note=f"{name} groups")
            depthwise = [*quantized(dtype, 2, 4, 11, 40), weights_of(weights, 4, 1, 3, 2), scale(4),
                         np.zeros(4, weights), *product]
            for step in (1, 2, 3):
                form("QLinearConv", depthwise, {"group": 4, "strides": [2, step], "pads": [1, 2, 0, 1]}, domain="",
                     constants=(3, 5), note=f"{name} depthwise, step {step}")
            volume = [*quantized(dtype, 1, 3, 5, 6, 7), weights_of(weights, 6, 3, 2, 3, 3), scale(), bytes_of(weights),
                      *product]
            form("QLinearConv", volume, {"pads": [1, 0, 1, 0, 1, 2], "strides": [1, 2, 3]}, domain="",
                 note=f"{name} three axes")
            line = [*quantized(dtype, 2, 3, 19), weights_of(weights, 4, 3, 5), scale(), bytes_of(weights), *product]
            form("QLinearConv", line, {"pads": [2, 1]}, domain="", note=f"{name} one axis")
            last = [*quantized(dtype, 2, 11, 10, 4), weights_of(weights, 6, 2, 3, 3), scale(), np.zeros((), weights),
                    *product]
            form("QLinearConv", last, {"group": 2, "channels_last": 1}, note=f"{name} channels last")
            pointwise = [*quantized(dtype, 2, 4, 11, 10), weights_of(weights, 6, 4, 1, 1), scale(), bytes_of(weights),
                         *product]
            form("QLinearConv", pointwise, domain="", note=f"{name} 1x1")
    image, kernel = bytes_of(np.uint8, 1, 4, 9, 9), bytes_of(np.uint8, 6, 4, 3, 3)
    result.append(Form("ConvInteger", [image, kernel, bytes_of(np.uint8), bytes_of(np.uint8)],
                       {"pads": [1, 1, 1, 1]}, domain="", type=TensorProto.INT32))
    for weights in QUANTIZED:
        name = np.dtype(weights).name
        inputs = [floats(2, 5, 12), weights_of(weights, 12, 7), scale(7), bytes_of(weights, 7), floats(7)]
        result.append(Form("DynamicQuantizeMatMul", inputs, note=name))
        result.append(Form("DynamicQuantizeMatMul", inputs[:2] + [scale()], note=f"{name} packed", constants=(1,)))
    result.append(Form("QuantizeLinear", [floats(2, 3, 5), scale(3), bytes_of(np.int8, 3)], {"axis": 1},
                       type=TensorProto.INT8))
    result.append(Form("DequantizeLinear", [bytes_of(np.uint16, 2, 3, 5), scale(5), bytes_of(np.uint16, 5)],
                       {"axis": -1}))
    return result


def sardonyx(command: Path, model: Path, feeds: dict[str, np.ndarray], folder: Path) -> dict[str, np.ndarray]:
    np.savez(folder / "feeds.npz", **feeds)
    out = folder / "out.npz"
    arguments = [command, "run", model, "--input", folder / "feeds.npz", "--output", out]
    run = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "no output")
    with np.load(out) as file:
        return {name: file[name] for name in file.files}


def check(form: Form, command: Path, folder: Path) -> tuple[str, bool]:
    model, feeds = form.model()
    path = folder / "form.onnx"
    save(model, path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        expected = session.run(None, feeds)
    except Exception as fault:  # ONNX Runtime's errors share no public type.
        return f"ONNX Runtime: {str(fault).strip().splitlines()[0][:110]}", False
    try:
        got = sardonyx(command, path, feeds, folder)
    except RuntimeError as fault:
        return f"Sardonyx: {fault}", False
    worst = 0.0
    for output, wanted in list(zip(session.get_outputs(), expected, strict=True))[: form.compared]:
        value = got[output.name]
        if value.shape != wanted.shape:
            return f"shape {value.shape}, expected {wanted.shape}", False
        worst = max(worst, error(value, wanted))
    return f"{worst:.1e}", worst <= LIMIT


def error(value: np.ndarray, wanted: np.ndarray) -> float:
    """Relative to the largest element; of quantized numbers 1 when one is off by more than a step, or more than a
    hundredth of them by one."""
    difference = np.abs(value.astype(np.float64) - wanted.astype(np.float64))
    if wanted.dtype in (np.int8, np.uint8):
        wrong = difference.max() > 1 or np.count_nonzero(difference) > max(1, difference.size / 100)
        return 1.0 if wrong else 0.0
    return float(difference.max() / max(np.abs(wanted.astype(np.float64)).max(), 1e-30))


def run_forms(forms: list[Form], description: str | None) -> int:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--command", type=Path, default=root / ".build/release/sardonyx")
    command = parser.parse_args().command
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        for form in forms:
            text, agrees = check(form, command, Path(name))
            failures += not agrees
            details = form.note or ", ".join(f"{key}={value}" for key, value in form.attributes.items())
            print(f"{'ok' if agrees else 'FAIL':5}{form.operator:34}{text:12}{details}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(run_forms(forms(), __doc__))
