"""Small networks of known kinds, with seeded random weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules.form import Form, floats, integers, layer


def conv_block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([conv_block(3, 8), conv_block(8, 16), conv_block(16, 32)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)])
        self.join = nn.ModuleList([conv_block(32, 16), conv_block(16, 8)])
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down[0](x)
        b = self.down[1](F.max_pool2d(a, 2))
        c = self.down[2](F.max_pool2d(b, 2))
        for up, join, skip in zip(self.up, self.join, (b, a)):
            c = join(torch.cat([up(c), skip], 1))
        return self.head(c)


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(conv_block(inputs, outputs, stride), nn.Conv2d(outputs, outputs, 3, 1, 1),
                                  nn.BatchNorm2d(outputs))
        self.short = nn.Conv2d(inputs, outputs, 1, stride) if inputs != outputs or stride != 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.short(x))


class InvertedResidual(nn.Module):
    def __init__(self, channels: int = 8, wide: int = 32):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(channels, wide, 1), nn.BatchNorm2d(wide), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(wide, wide, 5, padding=2, groups=wide), nn.BatchNorm2d(wide), nn.ReLU6())
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 8, 1), nn.ReLU(), nn.Conv2d(8, wide, 1),
                                     nn.Hardsigmoid())
        self.project = nn.Conv2d(wide, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.depth(self.expand(x))
        return x + self.project(y * self.squeeze(y))


class GPTBlock(nn.Module):
    def __init__(self, width: int = 32, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        parts = self.qkv(self.first(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return x + self.mlp(self.second(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(50, 32), nn.Embedding(24, 32)
        self.blocks = nn.Sequential(GPTBlock(), GPTBlock())
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 50, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.blocks(x)))


class RootMeanSquare(nn.Module):
    """RMS norm as models write it."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class LlamaBlock(nn.Module):
    """Rotary embedding, grouped keys, RMS norm, gated MLP."""

    def __init__(self, width: int = 32, heads: int = 4, groups: int = 2):
        super().__init__()
        self.size, self.heads, self.groups = width // heads, heads, groups
        self.norm, self.norm2 = RootMeanSquare(width), RootMeanSquare(width)
        self.q, self.o = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.k, self.v = (nn.Linear(width, groups * self.size, bias=False) for _ in range(2))
        self.gate, self.up, self.down = nn.Linear(width, 64), nn.Linear(width, 64), nn.Linear(64, width)

    def turned(self, x: Tensor, length: int) -> Tensor:
        angles = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, self.size, 2) / self.size)
        cosine, sine = torch.cat([angles, angles], -1).cos(), torch.cat([angles, angles], -1).sin()
        a, b = x.chunk(2, -1)
        return x * cosine + torch.cat([-b, a], -1) * sine

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        q = self.q(y).unflatten(-1, (self.heads, self.size)).transpose(1, 2)
        k, v = (part(y).unflatten(-1, (self.groups, self.size)).transpose(1, 2) for part in (self.k, self.v))
        k, v = (part.repeat_interleave(self.heads // self.groups, 1) for part in (self.turned(k, x.shape[1]), v))
        mask = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
        weights = (self.turned(q, x.shape[1]) @ k.transpose(-1, -2) / self.size ** 0.5 + mask).softmax(-1)
        x = x + self.o((weights @ v).transpose(1, 2).flatten(2))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(40, 16), nn.Linear(24, 40)
        self.layers = nn.LSTM(16, 24, 2, batch_first=True)

    def forward(self, tokens: Tensor):
        states, (hidden, _) = self.layers(self.words(tokens))
        return self.head(states).log_softmax(-1), hidden


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.local = nn.Sequential(nn.Conv1d(3, 16, 1), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 32, 1), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 5))

    def forward(self, points: Tensor) -> Tensor:
        return self.head(self.local(points.transpose(1, 2)).max(2).values)


class VisionTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 8, 8)
        self.mark, self.places = nn.Parameter(torch.randn(1, 1, 24)), nn.Parameter(torch.randn(1, 17, 24))
        self.encoder = nn.TransformerEncoderLayer(24, 4, 48, activation="gelu", batch_first=True, norm_first=True)
        self.head = nn.Linear(24, 6)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.mark.expand(x.shape[0], -1, -1), tokens], 1) + self.places
        return self.head(self.encoder(tokens)[:, 0])


class Autoencoder(nn.Module):
    """Variational: the mean is used, the spread is another output."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ELU())
        self.mean, self.spread = nn.Linear(32, 4), nn.Linear(32, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 32), nn.ELU(), nn.Linear(32, 64), nn.Sigmoid(),
                                     nn.Unflatten(1, (1, 8, 8)))

    def forward(self, x: Tensor):
        code = self.encoder(x)
        return self.decoder(self.mean(code)), self.spread(code).exp()


class GraphLayer(nn.Module):
    """Messages along edges, added up at their targets."""

    def __init__(self):
        super().__init__()
        self.message, self.update = nn.Linear(12, 8), nn.Linear(14, 6)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        messages = F.relu(self.message(torch.cat([nodes[edges[0]], nodes[edges[1]]], 1)))
        summed = torch.zeros(nodes.shape[0], 8).index_add(0, edges[1], messages)
        return self.update(torch.cat([nodes, summed], 1))


class Detector(nn.Module):
    """Two scales, anchors, boxes decoded and the best of each class."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv_block(3, 8, 2), conv_block(8, 16, 2))
        self.deep, self.head = conv_block(16, 16, 2), nn.Conv2d(16, 9, 3, padding=1)

    def forward(self, x: Tensor):
        fine = self.body(x)
        maps = [fine + F.interpolate(self.deep(fine), size=fine.shape[-2:], mode="nearest"), self.deep(fine)]
        rows = torch.cat([self.head(part).flatten(2).transpose(1, 2) for part in maps], 1)
        corners, scores = rows[..., :4], rows[..., 4:].sigmoid()
        best, where = scores.max(1)
        return best, torch.gather(corners, 1, where[..., None].expand(-1, -1, 4))


class WaveBlock(nn.Module):
    """Dilated causal convolutions with gates."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(8, 16, 2, dilation=2 ** k) for k in range(4))

    def forward(self, x: Tensor) -> Tensor:
        for step, conv in enumerate(self.layers):
            a, b = conv(F.pad(x, (2 ** step, 0))).chunk(2, 1)
            x = x + a.tanh() * b.sigmoid()
        return x


def forms() -> list[Form]:
    def resnet() -> nn.Module:
        return nn.Sequential(conv_block(3, 8, 2), nn.MaxPool2d(3, 2, 1), Residual(8, 8, 1), Residual(8, 16, 2),
                             nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))

    def mixer() -> nn.Module:
        return nn.Sequential(nn.LayerNorm(12), nn.Linear(12, 24), nn.Mish(), nn.Linear(24, 12), nn.Softmax(-1))

    def super_resolution() -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.PReLU(8), nn.Conv2d(8, 9, 3, padding=1),
                             nn.PixelShuffle(3))

    picture = floats(2, 3, 32, 32)
    return [
        layer("unet", UNet, floats(1, 3, 16, 24), other=(floats(2, 3, 32, 16),)),
        layer("resnet", resnet, picture, other=(floats(3, 3, 40, 24),)),
        layer("inverted_residual", InvertedResidual, floats(1, 8, 14, 14), other=(floats(2, 8, 9, 12),)),
        layer("gpt", GPT, integers(50, 2, 9), other=(integers(50, 3, 17),)),
        layer("llama_block", LlamaBlock, floats(2, 7, 32), other=(floats(3, 10, 32),)),
        layer("lstm_language_model", LanguageModel, integers(40, 2, 9), other=(integers(40, 3, 5),)),
        layer("point_net", PointNet, floats(2, 20, 3), other=(floats(3, 33, 3),)),
        layer("vision_transformer", VisionTransformer, picture, other=(floats(3, 3, 32, 32),)),
        layer("autoencoder", Autoencoder, floats(3, 1, 8, 8), other=(floats(5, 1, 8, 8),)),
        layer("graph_layer", GraphLayer, floats(7, 6), integers(7, 2, 12), other=(floats(9, 6), integers(9, 2, 20))),
        layer("detector", Detector, picture, other=(floats(2, 3, 48, 40),)),
        layer("wave_block", WaveBlock, floats(2, 8, 20), other=(floats(1, 8, 33),)),
        layer("mixer", mixer, floats(2, 5, 12)),
        layer("super_resolution", super_resolution, floats(1, 1, 10, 12), other=(floats(2, 1, 7, 9),)),
    ]
