"""Model cards (schemas/model-card.schema.json)."""

from __future__ import annotations

import json

from .config import Config
from .labels import COCO

METADATA_KEY = "sardonyx.card"
ROLES = ("loc", "conf", "mask", "priors", "proto")
RESNET_MEAN, RESNET_STD = [123.68, 116.78, 103.94], [58.40, 57.12, 57.38]
PAPER_MAP = {"yolact_base": 0.298, "yolact_resnet50": 0.282, "yolact_darknet53": 0.287, "yolact_im400": 0.249,
             "yolact_im700": 0.312}
POST_PROCESSING = {"variances": [0.1, 0.2], "confidence_threshold": 0.05, "nms_iou_threshold": 0.5, "nms_top_k": 200,
                   "max_detections": 100, "mask_threshold": 0.5}
DEMO_COMMAND = ("tools/train_demo.py --out out/train --minutes 54 --seed 1; tools/export_yolact.py --config demo "
                "--checkpoint out/train/checkpoint.pth --exporter torchscript -o models/demo.onnx")
BACKBONE_NAMES = {"resnet50": "ResNet-50", "resnet101": "ResNet-101", "darknet53": "DarkNet-53"}


def input_section(config: Config, size: tuple[int, int] | None = None) -> dict:
    """The card's `input`; `size` = (height, width) where it differs from the configuration's."""
    height, width = size or (config.input_size, config.input_size)
    darknet = config.backbone == "darknet53"
    return {
        "name": "image", "width": width, "height": height, "geometry": "stretch", "channels": "rgb",
        "mean": [0, 0, 0] if darknet else RESNET_MEAN, "std": [255, 255, 255] if darknet else RESNET_STD,
    }


def paper_card(config: Config, size: tuple[int, int] | None = None) -> dict:
    """The card of one of the paper's five systems."""
    return {
        "name": config.name,
        "decoder": "yolact",
        "description": f"YOLACT, {BACKBONE_NAMES[config.backbone]}-FPN, {config.input_size} pixels, 80 COCO classes. "
                       f"The paper's mask mAP on COCO test-dev is {PAPER_MAP[config.name]}.",
        "source": "arXiv 1904.02689",
        "command": f"tools/export_yolact.py --config {config.name} --checkpoint FILE.pth -o {config.name}.onnx",
        "input": input_section(config, size),
        "outputs": {role: role for role in ROLES},
        "yolact": dict(POST_PROCESSING),
        "thresholds": {"score": 0.15, "top_k": 100},
        "labels": list(COCO.values()),
        "category_ids": list(COCO),
    }


def demo_card(config: Config, labels: list[str], measured: dict[str, float]) -> dict:
    """The card of the bundled demo network."""
    return {
        "name": config.name,
        "decoder": "yolact",
        "description": "A small YOLACT (slim ResNet, FPN of 96 channels, 64x64x32 prototypes) that segments 20 kinds "
                       "of colour-emoji objects, trained from nothing on composed scenes: 3013 steps in 54 minutes on "
                       "two shared cores. Measured on 300 held-out scenes by tools/evaluate_demo.py --model.",
        "source": "This repository: tools/train_demo.py; the method is arXiv 1904.02689.",
        "license": "Apache-2.0. Training pictures: glyphs of Noto Color Emoji (SIL Open Font License 1.1, Debian package "
                   "fonts-noto-color-emoji) over photographs of the scikit-image wheel and generated textures.",
        "command": DEMO_COMMAND,
        "measured": measured,
        "input": input_section(config),
        "outputs": {role: role for role in ROLES},
        "yolact": dict(POST_PROCESSING),
        "thresholds": {"score": 0.3, "top_k": 100},
        "labels": labels,
    }


def card_metadata(card: dict) -> dict[str, str]:
    """The card as an ONNX metadata entry."""
    return {METADATA_KEY: json.dumps(card, ensure_ascii=False)}


def format_card(card: dict) -> str:
    """JSON with one line per key, so that long label lists stay readable."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in card.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"
