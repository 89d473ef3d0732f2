#!/usr/bin/env python3
"""Writes composed scenes as pictures with a COCO ground truth: the demo model's held-out set, or pictures to look at."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image

from scenes.coco import ground_truth
from scenes.compose import Materials, compose

HELD_OUT_SEED = 70_001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED, help=f"default {HELD_OUT_SEED}, the held-out set")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="index of the first scene")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 256), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--format", choices=("png", "jpg"), default="png", help="jpg: quality 95, full colour")
    parser.add_argument("--out", type=Path, required=True, help="gets 00001.png ... and truth.json")
    options = parser.parse_args()
    if options.count < 1 or options.first < 0 or min(options.size) < 64:
        parser.error("--count from 1, --first from 0, --size from 64 x 64")
    options.out.mkdir(parents=True, exist_ok=True)
    materials = Materials()
    scenes, names = [], []
    for index in range(options.first, options.first + options.count):
        scene = compose(materials, options.seed, index, *options.size)
        names.append(f"{len(names) + 1:05d}.{options.format}")
        settings = {"quality": 95, "subsampling": 0} if options.format == "jpg" else {"optimize": True}
        Image.fromarray(scene.image).save(options.out / names[-1], **settings)
        scenes.append(scene)
    truth = ground_truth(scenes, names)
    (options.out / "truth.json").write_text(json.dumps(truth))
    print(f"{options.out}: {len(scenes)} scenes, {len(truth['annotations'])} instances, seed {options.seed}")


if __name__ == "__main__":
    main()
