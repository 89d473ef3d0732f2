"""The networks that the parity tool compares: name -> how to build it, with seeded random weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from yolact.cards import ROLES, card_metadata, paper_card
from yolact.config import PAPER
from yolact.model import ExportGraph
from yolact.weights import random_network

SEED = 1


@dataclass(frozen=True)
class Entry:
    """One network: `build()` gives the module that is exported; inputs are [batch, 3, height, width]."""

    build: Callable[[], nn.Module]
    size: tuple[int, int]
    outputs: tuple[str, ...]
    batch: int = 1
    dynamic: dict[int, str] = field(default_factory=dict)
    card: dict | None = None
    other_sizes: tuple[tuple[int, int], ...] = ()
    """Further (height, width) to run when the shape is dynamic."""

    def example(self, size: tuple[int, int] | None = None, seed: int = 0) -> Tensor:
        """Smooth noise: neighbouring pixels correlate as in pictures, unit deviation."""
        height, width = size or self.size
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.randn(self.batch, 3, height // 8 + 1, width // 8 + 1, generator=generator)
        return F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False)

    @property
    def metadata(self) -> dict[str, str]:
        return card_metadata(self.card) if self.card else {}


def _yolact(name: str, batch: int = 1, dynamic: dict[int, str] | None = None) -> Entry:
    config = PAPER[name]
    symbolic = bool(dynamic) and 2 in dynamic
    return Entry(
        build=lambda: ExportGraph(random_network(config, SEED), dynamic_size=symbolic).eval(),
        size=(config.input_size, config.input_size), outputs=ROLES, batch=batch,
        dynamic=dynamic or {}, card=paper_card(config), other_sizes=((320, 416), (448, 352)) if symbolic else (),
    )


def _torchvision(name: str, **options) -> Entry:
    def build() -> nn.Module:
        from torchvision_cpu import models

        torch.manual_seed(SEED)
        network = getattr(models, name)(weights=None, **options)
        return settle(network)

    return Entry(build=build, size=(224, 224), outputs=("logits",))


def _small_vit() -> nn.Module:
    from torchvision_cpu import models

    torch.manual_seed(SEED)
    network = models.VisionTransformer(image_size=224, patch_size=16, num_layers=6, num_heads=6, hidden_dim=384,
                                       mlp_dim=1536)
    nn.init.normal_(network.heads.head.weight, std=0.05)  # zeros by default: the logits would test nothing
    return network.eval()


def settle(network: nn.Module) -> nn.Module:
    """Sets every batch norm's statistics by one pass, so that random weights keep activations near unit variance."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    noise = torch.randn(4, 3, 10, 10, generator=torch.Generator().manual_seed(SEED))
    network.train()
    with torch.no_grad():
        network(F.interpolate(noise, size=(160, 160), mode="bicubic", align_corners=False))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return network.eval()


MODELS: dict[str, Entry] = {
    **{name: _yolact(name) for name in PAPER},
    "yolact_resnet50_batch2": _yolact("yolact_resnet50", batch=2),
    "yolact_resnet50_dynbatch": _yolact("yolact_resnet50", batch=2, dynamic={0: "batch"}),
    "yolact_resnet50_dynshape": _yolact("yolact_resnet50", dynamic={2: "height", 3: "width"}),
    "resnet50": _torchvision("resnet50"),
    "mobilenet_v2": _torchvision("mobilenet_v2"),
    "mobilenet_v3_small": _torchvision("mobilenet_v3_small"),
    "efficientnet_b0": _torchvision("efficientnet_b0"),
    "shufflenet_v2_x1_0": _torchvision("shufflenet_v2_x1_0"),
    "vit_small": Entry(build=_small_vit, size=(224, 224), outputs=("logits",)),
}
