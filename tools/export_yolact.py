#!/usr/bin/env python3
"""Exports YOLACT to ONNX: raw heads loc, conf, mask, priors, proto, with the model card in the metadata."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from onnx_export import DEFAULT_OPSETS, EXPORTERS, export
from scenes.sprites import LABELS
from yolact.cards import ROLES, card_metadata, demo_card, format_card, paper_card
from yolact.config import DEMO, PAPER
from yolact.model import ExportGraph
from yolact.weights import load_checkpoint, random_network

CONFIGS = PAPER | {DEMO.name: DEMO}
MODELS = Path(__file__).resolve().parent.parent / "models"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, choices=CONFIGS)
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--checkpoint", type=Path, help="state dict of the reference, or of tools/train_demo.py")
    weights.add_argument("--random", type=int, metavar="SEED", help="seeded random weights")
    parser.add_argument("--exporter", choices=EXPORTERS, default="torchscript")
    parser.add_argument("--opset", type=int, help=f"default {DEFAULT_OPSETS}")
    parser.add_argument("--batch", default="1", help="a number, or dynamic")
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="default: the configuration's")
    parser.add_argument("--dynamic-shape", action="store_true", help="symbolic height and width; priors follow them")
    parser.add_argument("--card", type=Path, help="default: models/CONFIG.card.json, else made from the configuration")
    parser.add_argument("--write-card", action="store_true", help="write the configuration's card to models/ and stop")
    parser.add_argument("--measured", type=Path, help="with --write-card of the demo: JSON of tools/evaluate_demo.py")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    if options.write_card:
        return options
    if options.output is None or (options.checkpoint is None and options.random is None):
        parser.error("-o and one of --checkpoint and --random are required")
    if options.batch != "dynamic" and not (options.batch.isdigit() and int(options.batch) > 0):
        parser.error(f"--batch: a number from 1 or dynamic; got {options.batch!r}")
    if min(options.size or (64,)) < 64:
        parser.error(f"--size: at least 64 x 64, so that P7 has a cell; got {options.size}")
    return options


def card_for(name: str, path: Path | None, size: tuple[int, int] | None) -> dict:
    """The card to embed: the given file, the repository's, or the configuration's own."""
    path = path or MODELS / f"{name}.card.json"
    card = json.loads(path.read_text()) if path.exists() else paper_card(PAPER[name])
    if size:
        card["input"] |= {"height": size[0], "width": size[1]}
    return card


def main() -> None:
    options = arguments()
    config = CONFIGS[options.config]
    if options.write_card:
        measured = json.loads(options.measured.read_text()) if options.measured else {}
        card = demo_card(config, LABELS, measured) if config is DEMO else paper_card(config)
        (MODELS / f"{config.name}.card.json").write_text(format_card(card))
        return
    size = tuple(options.size) if options.size else None
    card = card_for(config.name, options.card, size)
    if options.checkpoint:
        network = load_checkpoint(config, options.checkpoint)
    else:
        network = random_network(config, options.random)
    height, width = size or (config.input_size, config.input_size)
    # A dynamic axis is traced with 2: 1 would be taken for a constant.
    batch = 2 if options.batch == "dynamic" else int(options.batch)
    dynamic = {0: "batch"} if options.batch == "dynamic" else {}
    if options.dynamic_shape:
        dynamic |= {2: "height", 3: "width"}
    export(ExportGraph(network, size, options.dynamic_shape), torch.zeros(batch, 3, height, width), options.output,
           exporter=options.exporter, opset=options.opset, outputs=list(ROLES), dynamic=dynamic,
           metadata=card_metadata(card))
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB, {options.exporter}")


if __name__ == "__main__":
    main()
