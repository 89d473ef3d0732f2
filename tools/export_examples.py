#!/usr/bin/env python3
"""Exports detectors of the usual PyTorch packages to ONNX and writes each one's card beside it.

Exit code 2 where the package is not installed, with the line that installs it; 1 for a model that it does not have.
`--random` needs no download.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import onnx

from detectors import sources
from detectors.form import card_path
from yolact.cards import format_card

EXAMPLES = """examples:
  tools/export-examples yolo --name yolo11n-seg -o models/yolo11n-seg.onnx
  tools/export-examples yolo --weights runs/segment/train/weights/best.pt -o best.onnx
  tools/export-examples torchvision --name maskrcnn_resnet50_fpn --weights maskrcnn_coco.pth -o m.onnx
  tools/export-examples transformers --name detr --random -o detr.onnx
then: sardonyx segment picture.jpg --model best.onnx
"""
MMDEPLOY = """RTMDet and RTMDet-Ins are exported by mmdeploy, which pip alone does not install
(mmcv is built for one torch):
  pip install openmim && mim install mmengine 'mmcv<2.2' mmdet mmdeploy
  python -m mmdeploy.tools.deploy configs/mmdet/instance-seg/instance-seg_rtmdet-ins_onnxruntime_static-640x640.py \\
      rtmdet-ins_tiny_8xb32-300e_coco.py rtmdet-ins_tiny.pth picture.jpg --work-dir out
The file out/end2end.onnx has the outputs dets, labels and masks. Its card:
  {"name": "rtmdet-ins", "decoder": "instances",
   "input": {"name": "input", "channels": "bgr", "mean": [103.53, 116.28, 123.675], "std": [57.375, 57.12, 58.395],
             "geometry": "letterbox", "width": 640, "height": 640, "align": "top-left", "padding": 114},
   "outputs": {"dets": "dets", "labels": "labels", "masks": "masks"}, "instances": {"masks": "input"},
   "thresholds": {"score": 0.3, "top_k": 100}, "labels": [..]}
"""
FAMILIES = {
    "yolo": ("yolov8n-seg", 640, "ultralytics: YOLOv5u, v8, 9, 10, 11, detect, segment and classify"),
    "torchvision": ("retinanet_resnet50_fpn", 480, "torchvision's detectors, post-processing inside"),
    "transformers": ("detr", 640, "DETR, MaskFormer and Mask2Former"),
    "yolox": ("yolox-s", 640, "Megvii's YOLOX"),
    "nanodet": ("nanodet-plus-m_320.yml", 320, "NanoDet and NanoDet-Plus"),
}
SCORES = {"yolo": 0.25, "detr": 0.7, "mask2former": 0.5, "classification": 0.0, "yolox": 0.3, "nanodet": 0.4,
          "instances": 0.5}
"""By decoder, the score above which a card shows objects."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    families = parser.add_subparsers(dest="family", required=True)
    for family, (name, size, text) in FAMILIES.items():
        own = families.add_parser(family, help=text)
        own.add_argument("--name", default=name, help=f"which of its models (default: {name})")
        weights = own.add_mutually_exclusive_group(required=family != "yolo")
        weights.add_argument("--weights", type=Path, metavar="FILE", help="a local checkpoint")
        weights.add_argument("--random", action="store_true", help="random weights, to try it offline")
        own.add_argument("--size", type=int, default=size, help=f"network input (default: {size})")
        own.add_argument("--dynamic", action="store_true", help="yolo: symbolic height and width")
        own.add_argument("-o", "--output", type=Path, required=True)
    families.add_parser("rtmdet", help="how mmdeploy exports RTMDet and RTMDet-Ins, and their card")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if options.family == "rtmdet":
        print(MMDEPLOY, end="")
        return 0
    if options.weights and not options.weights.exists():
        print(f"export-examples: {options.weights} does not exist", file=sys.stderr)
        return 1
    options.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        card = getattr(sources, options.family)(options, options.output)
    except sources.Missing as fault:
        print(f"export-examples: {fault}", file=sys.stderr)
        return 2
    except sources.Unknown as fault:
        print(f"export-examples: {fault}", file=sys.stderr)
        return 1
    onnx.checker.check_model(str(options.output))
    card = {"name": options.output.stem, **card}
    card["thresholds"] = {"score": SCORES[card["decoder"]], "top_k": 5 if card["decoder"] == "classification" else 100}
    card = {key: card[key] for key in sorted(card, key=lambda key: key in ("labels", "category_ids"))}
    card_path(options.output).write_text(format_card(card))
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB; {card_path(options.output)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
