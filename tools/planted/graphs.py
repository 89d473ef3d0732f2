"""Graphs for faults to be planted in: by name, what writes a model and returns its feeds."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from detectors.forms import FORMS
from onnx_export import export
from random_graphs.generate import generate

Feeds = dict[str, np.ndarray]
Made = tuple[ModelProto, Feeds]
DEMO = Path(__file__).resolve().parents[2] / "models" / "demo.onnx"


class Residual(nn.Module):
    """Convolutions with batch normalisation, two residual blocks, pooling, a linear head."""

    def __init__(self):
        super().__init__()
        def unit(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())
        self.stem = nn.Sequential(unit(3, 16, 2), nn.MaxPool2d(2))
        self.first, self.second = unit(16, 16), unit(16, 16)
        self.wider = unit(16, 32, 2)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.first(x)
        x = x + self.second(x)
        return self.head(self.wider(x).mean((2, 3)))


class Inverted(nn.Module):
    """A depthwise block with hard swish and squeeze-and-excitation."""

    def __init__(self):
        super().__init__()
        self.expand, self.depthwise = nn.Conv2d(8, 32, 1), nn.Conv2d(32, 32, 5, 1, 2, groups=32)
        self.squeeze, self.excite, self.project = nn.Conv2d(32, 8, 1), nn.Conv2d(8, 32, 1), nn.Conv2d(32, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.hardswish(self.depthwise(nn.functional.hardswish(self.expand(x))))
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        return x + self.project(y * scale)


class Block(nn.Module):
    """A transformer block; causal hides later tokens."""

    def __init__(self, causal: bool, width: int = 48, heads: int = 4):
        super().__init__()
        self.causal, self.heads = causal, heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, t, c = x.shape
        q, k, v = self.qkv(self.first(x)).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) * (c // self.heads) ** -0.5
        if self.causal:
            scores = scores + torch.full((t, t), -1e4).triu(1)
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c))
        return x + self.down(nn.functional.gelu(self.up(self.second(x))))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.head = nn.LSTM(12, 16, batch_first=True), nn.GRU(16, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.gru(self.lstm(x)[0])[0]))


def seeded(module: nn.Module, shape: tuple[int, ...], seed: int) -> tuple[nn.Module, Tensor]:
    """With weights and statistics of its own, and an input."""
    torch.manual_seed(seed)
    for part in module.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.5, 0.5)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return module.eval(), torch.rand(shape)


def exported(module: nn.Module, shape: tuple[int, ...], seed: int) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        _, example = seeded(module, shape, seed)
        export(module, example, folder / "exported.onnx", exporter="torchscript", outputs=["result"])
        return onnx.load(folder / "exported.onnx"), {"image": example.numpy()}
    return make


def written(write: Callable[[Path], object]) -> Callable[[Path], Made]:
    """By a detector's exporter; the feeds are noise."""
    def make(folder: Path) -> Made:
        torch.set_num_threads(1)
        write(folder / "exported.onnx")
        return noisy(onnx.load(folder / "exported.onnx"))
    return make


def noisy(model: ModelProto) -> Made:
    given = {value.name for value in model.graph.initializer}
    [image] = [value for value in model.graph.input if value.name not in given]
    dims = [dim.dim_value or 64 for dim in image.type.tensor_type.shape.dim]
    return model, {image.name: np.random.default_rng(5).random(dims, np.float32)}


def controlled(_: Path) -> Made:
    """A product, a Loop that adds to it four times, an If on its sum, and more products."""
    source = np.random.default_rng(3)
    weights = [numpy_helper.from_array(source.standard_normal(dims).astype(np.float32) / 4, name)
               for name, dims in (("w0", (8, 16)), ("w1", (16, 16)), ("w2", (16, 6)))]
    numbers = [numpy_helper.from_array(np.asarray(value), name)
               for name, value in (("four", np.int64(4)), ("yes", np.bool_(True)), ("zero", np.float32(0)))]
    tensor = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["goes"]), helper.make_node("MatMul", ["state", "w1"], ["turned"]),
         helper.make_node("Add", ["turned", "base"], ["next"])], "body",
        [tensor("i", TensorProto.INT64, []), tensor("go", TensorProto.BOOL, []),
         tensor("state", TensorProto.FLOAT, [4, 16])],
        [tensor("goes", TensorProto.BOOL, []), tensor("next", TensorProto.FLOAT, [4, 16])])
    branches = [helper.make_graph([helper.make_node(op, ["looped"], [name])], name, [],
                                  [tensor(name, TensorProto.FLOAT, [4, 16])])
                for op, name in (("Tanh", "positive"), ("Sigmoid", "negative"))]
    nodes = [helper.make_node("MatMul", ["image", "w0"], ["first"]), helper.make_node("Relu", ["first"], ["base"]),
             helper.make_node("Loop", ["four", "yes", "base"], ["looped"], body=body),
             helper.make_node("ReduceSum", ["looped"], ["sum"], keepdims=0),
             helper.make_node("Greater", ["sum", "zero"], ["is_positive"]),
             helper.make_node("If", ["is_positive"], ["chosen"], then_branch=branches[0], else_branch=branches[1]),
             helper.make_node("MatMul", ["chosen", "w2"], ["last"]),
             helper.make_node("Softmax", ["last"], ["result"], axis=1)]
    graph = helper.make_graph(nodes, "controlled", [tensor("image", TensorProto.FLOAT, [4, 8])],
                              [tensor("result", TensorProto.FLOAT, [4, 6])], weights + numbers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model, {"image": source.standard_normal((4, 8)).astype(np.float32)}


def random_graph(seed: int) -> Callable[[Path], Made]:
    def make(_: Path) -> Made:
        case = generate(seed)
        return case.model, case.feeds[0]
    return make


GRAPHS: dict[str, Callable[[Path], Made]] = {
    "residual": exported(Residual(), (1, 3, 48, 48), 1),
    "recurrent": exported(Recurrent(), (2, 7, 12), 5),
    "inverted": exported(Inverted(), (1, 8, 16, 16), 2),
    "encoder": exported(nn.Sequential(Block(False), Block(False)), (2, 10, 48), 3),
    "decoder": exported(nn.Sequential(Block(True), Block(True)), (1, 12, 48), 4),
    "nanodet": written(lambda path: FORMS["nanodet_joined"].write(path)),
    "yolact": lambda _: noisy(onnx.load(DEMO)),
    "retinanet": written(lambda path: FORMS["retinanet_whole"].write(path)),
    "controlled": controlled,
} | {f"random-{seed}": random_graph(seed) for seed in (13, 18, 20, 26, 27, 31, 33, 34, 40, 44, 48)}
"""Random graphs are those of tools/check-random-graphs with these seeds."""
