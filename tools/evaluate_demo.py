#!/usr/bin/env python3
"""Scores COCO results against the ground truth of tools/make_scenes.py and prints JSON: mask_map, box_map, ...

Images are matched by `image_id`, or by `file_name` where a result carries one (images are numbered by file name then).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from scenes.coco import evaluate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--truth", type=Path, required=True, help="truth.json of tools/make_scenes.py")
    parser.add_argument("--results", type=Path, required=True, help="COCO results: a list, or an object with a list")
    parser.add_argument("--require", type=float, metavar="MAP", help="exit 1 if mask_map is below this")
    options = parser.parse_args()
    truth = json.loads(options.truth.read_text())
    results = json.loads(options.results.read_text())
    if isinstance(results, dict):
        results = results.get("annotations", results.get("results"))
    if not isinstance(results, list):
        parser.error(f"{options.results}: neither a list of results nor an object that holds one")
    ids = {image["file_name"]: image["id"] for image in truth["images"]}
    for entry in results:
        name = entry.get("file_name")
        if name is not None:
            entry["image_id"] = ids.get(Path(name).name, entry.get("image_id"))
    figures = evaluate(truth, results)
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=2))
    if options.require is not None and figures["mask_map"] < options.require:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
