"""The paper's five configurations and the repository's demo network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """One network. `scales[level]` are prior sides in input pixels; `square_priors` keeps the reference's h = w."""

    name: str
    backbone: str
    input_size: int
    scales: tuple[tuple[float, ...], ...]
    ratios: tuple[float, ...] = (1.0, 0.5, 2.0)
    square_priors: bool = True
    num_classes: int = 81  # background included
    fpn_channels: int = 256
    proto_channels: int = 256
    mask_dim: int = 32

    @property
    def priors_per_cell(self) -> int:
        return len(self.scales[0]) * len(self.ratios)


def _paper(name: str, backbone: str, size: int = 550) -> Config:
    scales = tuple((int(scale / 550 * size),) for scale in (24, 48, 96, 192, 384))
    return Config(name, backbone, size, scales)


PAPER = {
    config.name: config
    for config in (
        _paper("yolact_base", "resnet101"),
        _paper("yolact_resnet50", "resnet50"),
        _paper("yolact_darknet53", "darknet53"),
        _paper("yolact_im400", "resnet101", 400),
        _paper("yolact_im700", "resnet101", 700),
    )
}

DEMO = Config(
    name="demo",
    backbone="slim",
    input_size=256,
    # Three scales an octave and one ratio, as YOLACT++ does for scales: the demo's objects are roughly square.
    scales=tuple(tuple(base * 2 ** (k / 3) for k in range(3)) for base in (20.0, 40.0, 80.0, 120.0, 180.0)),
    ratios=(1.0,),
    square_priors=False,
    num_classes=21,
    fpn_channels=96,
    proto_channels=64,
)
