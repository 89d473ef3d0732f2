"""Weights of a network: published checkpoints, the demo's training checkpoints, seeded random values."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import Config
from .model import Yolact


def clean_keys(state: dict[str, Tensor], downsample_layers: int = 2) -> dict[str, Tensor]:
    """Drops what old published checkpoints hold twice or in excess.

    `backbone.layer*` repeats `backbone.layers.*`; `fpn.downsample_layers.N` beyond the ones in use were never trained.
    """
    surplus = "fpn.downsample_layers."

    def keep(name: str) -> bool:
        if name.startswith("backbone.layer") and not name.startswith("backbone.layers"):
            return False
        return not (name.startswith(surplus) and int(name[len(surplus):].split(".")[0]) >= downsample_layers)

    return {name: value for name, value in state.items() if keep(name)}


def load_checkpoint(config: Config, path: Path) -> Yolact:
    """A network with a checkpoint's weights, strictly: a missing or unknown name raises RuntimeError.

    Takes a plain state dict or a checkpoint of tools/train_demo.py, whose averaged weights are used.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    if "average" in state:
        state = state["average"]
    network = Yolact(config)
    network.load_state_dict(clean_keys(state), strict=True)
    return network.eval()


def random_network(config: Config, seed: int) -> Yolact:
    """Seeded random weights whose activations stay near unit variance in every layer.

    One training-mode pass over smooth noise sets the batch norms' running statistics, and scales each convolution that
    has no batch norm to unit output; residual branches end in small gains. So no tanh, softmax or exp saturates, and a
    difference between two runtimes is not hidden by one.
    """
    generator = torch.Generator().manual_seed(seed)
    network = Yolact(config)
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
                if module.bias is not None:
                    module.bias.normal_(0, 0.1, generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                last = name.endswith(("bn3", "conv2.1")) and "layers" in name
                low, high = (0.2, 0.5) if last else (0.7, 1.3)
                module.weight.uniform_(low, high, generator=generator)
                module.bias.normal_(0, 0.1, generator=generator)
                module.momentum = 1.0
        _calibrate(network, torch.randn(2, 3, 12, 12, generator=generator))
    return network.eval()


def _calibrate(network: Yolact, noise: Tensor) -> None:
    image = F.interpolate(noise, size=(256, 256), mode="bicubic", align_corners=False)
    head = network.prediction_layers[0]
    targets = {head.bbox_layer: 0.5, head.conf_layer: 0.5, head.mask_layer: 0.2}
    scaled: set[nn.Module] = set()

    def scale(module: nn.Module, _, output: Tensor) -> Tensor:
        if module in scaled:
            return output
        scaled.add(module)
        deviation = output.std() / targets.get(module, 1.0)
        module.weight /= deviation
        module.bias /= deviation
        return output / deviation

    hooks = [module.register_forward_hook(scale) for module in network.modules()
             if isinstance(module, nn.Conv2d) and module.bias is not None]
    network.train()
    network(image)
    for hook in hooks:
        hook.remove()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
            module.num_batches_tracked.zero_()
