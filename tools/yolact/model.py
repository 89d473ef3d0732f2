"""The network: backbone, FPN, protonet and one prediction head shared by P3-P7."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .backbones import BACKBONES
from .config import Config
from .priors import make_priors, priors_of_levels


class FPN(nn.Module):
    """Feature pyramid (arXiv 1612.03144) over C3-C5 with P6 and P7 by strided convolutions.

    Modules are stored from C5 down to C3, the order of published checkpoints.
    """

    def __init__(self, inputs: list[int], channels: int):
        super().__init__()
        self.lat_layers = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in reversed(inputs))
        self.pred_layers = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in inputs)
        self.downsample_layers = nn.ModuleList(nn.Conv2d(channels, channels, 3, 2, 1) for _ in range(2))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        merged: list[Tensor] = []
        for lateral, feature in zip(self.lat_layers, reversed(features)):
            x = lateral(feature)
            if merged:
                size = (feature.shape[2], feature.shape[3])
                x = F.interpolate(merged[-1], size=size, mode="bilinear", align_corners=False) + x
            merged.append(x)
        levels = [F.relu(predict(x)) for predict, x in zip(self.pred_layers, merged)]
        levels.reverse()
        for downsample in self.downsample_layers:
            levels.append(downsample(levels[-1]))
        return levels


class PredictionHead(nn.Module):
    """Boxes, class logits and mask coefficients [N, cells * priors, k] of one pyramid level."""

    def __init__(self, config: Config):
        super().__init__()
        channels, priors = config.fpn_channels, config.priors_per_cell
        self.widths = (4, config.num_classes, config.mask_dim)
        self.upfeature = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())
        self.bbox_layer = nn.Conv2d(channels, priors * 4, 3, padding=1)
        self.conf_layer = nn.Conv2d(channels, priors * config.num_classes, 3, padding=1)
        self.mask_layer = nn.Conv2d(channels, priors * config.mask_dim, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.upfeature(x)
        loc, conf, mask = (
            layer(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, width)
            for layer, width in zip((self.bbox_layer, self.conf_layer, self.mask_layer), self.widths)
        )
        return loc, conf, torch.tanh(mask)


class Upsample(nn.Module):
    """Bilinear x2 with half-pixel centres, to the exact doubled size."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _protonet(inputs: int, channels: int, prototypes: int) -> nn.Sequential:
    widths = [inputs, channels, channels, channels]
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    layers += [Upsample(), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(channels, prototypes, 1))


class Yolact(nn.Module):
    """Image [N, 3, H, W], normalised -> (loc [N, P, 4], conf [N, P, C] logits, mask [N, P, D], proto [N, h, w, D]).

    `semantic_seg_conv` serves the training loss alone; published checkpoints carry it.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.backbone = BACKBONES[config.backbone]()
        self.proto_net = _protonet(config.fpn_channels, config.proto_channels, config.mask_dim)
        self.fpn = FPN(self.backbone.channels, config.fpn_channels)
        # A list of one: P3-P7 share the head, and checkpoints name it `prediction_layers.0`.
        self.prediction_layers = nn.ModuleList([PredictionHead(config)])
        self.semantic_seg_conv = nn.Conv2d(config.fpn_channels, config.num_classes - 1, 1)

    def features(self, image: Tensor) -> list[Tensor]:
        """P3-P7."""
        return self.fpn(self.backbone(image))

    def heads(self, levels: list[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        head = self.prediction_layers[0]
        loc, conf, mask = (torch.cat(parts, 1) for parts in zip(*(head(level) for level in levels)))
        proto = F.relu(self.proto_net(levels[0])).permute(0, 2, 3, 1).contiguous()
        return loc, conf, mask, proto

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.heads(self.features(image))


class ExportGraph(nn.Module):
    """The exported graph: raw heads `loc`, `conf` (softmax), `mask`, `priors`, `proto`.

    `priors` is a constant for one input size (height, width), or follows the input's size if `dynamic_size`.
    """

    def __init__(self, network: Yolact, size: tuple[int, int] | None = None, dynamic_size: bool = False):
        super().__init__()
        self.network = network
        self.dynamic_size = dynamic_size
        if not dynamic_size:
            self.register_buffer("priors", torch.from_numpy(make_priors(network.config, size)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        levels = self.network.features(image)
        loc, conf, mask, proto = self.network.heads(levels)
        priors = priors_of_levels(self.network.config, levels, image) if self.dynamic_size else self.priors
        return loc, torch.softmax(conf, -1), mask, priors, proto
