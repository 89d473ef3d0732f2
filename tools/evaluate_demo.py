#!/usr/bin/env python3
"""Scores instances against the ground truth of tools/make_scenes.py and prints JSON: mask_map, box_map, ...

The instances are a COCO results file of any program (--results), or come from a model run here by ONNX Runtime and the
tools' own post-processing (--model), which is a second opinion on Sardonyx's figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from scenes.coco import encode_mask, evaluate


def results_of_model(model: Path, truth: dict, folder: Path) -> list[dict]:
    """COCO results of a model with an embedded card, by ONNX Runtime."""
    import onnxruntime
    import torch
    from PIL import Image
    from torch.nn import functional as F

    from yolact.cards import METADATA_KEY, ROLES
    from yolact.detect import detect

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    mean, std = (torch.tensor(card["input"][key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    size = (card["input"]["height"], card["input"]["width"])
    categories = card.get("category_ids", list(range(1, len(card["labels"]) + 1)))
    results = []
    for image in truth["images"]:
        pixels = torch.from_numpy(np.array(Image.open(folder / image["file_name"]).convert("RGB")))
        pixels = F.interpolate(pixels.permute(2, 0, 1)[None].float(), size=size, mode="bilinear", align_corners=False)
        outputs = session.run([card["outputs"][role] for role in ROLES],
                              {card["input"]["name"]: ((pixels - mean) / std).numpy()})
        loc, conf, mask, priors, proto = (torch.from_numpy(output) for output in outputs)
        for found in detect(loc[0], conf[0], mask[0], proto[0], priors, (image["height"], image["width"])):
            x1, y1, x2, y2 = found["box"]
            results.append({"image_id": image["id"], "category_id": categories[found["label"]],
                            "score": found["score"], "bbox": [x1, y1, x2 - x1, y2 - y1],
                            "segmentation": encode_mask(found["mask"])})
    return results


def results_of_file(path: Path, truth: dict) -> list[dict]:
    """A list of COCO results, or an object that holds one; a `file_name` in a result overrides its `image_id`."""
    results = json.loads(path.read_text())
    if isinstance(results, dict):
        results = results.get("annotations", results.get("results"))
    if not isinstance(results, list):
        raise SystemExit(f"{path}: neither a list of results nor an object that holds one")
    ids = {image["file_name"]: image["id"] for image in truth["images"]}
    for entry in results:
        if "file_name" in entry:
            entry["image_id"] = ids.get(Path(entry["file_name"]).name, entry.get("image_id"))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True, help="truth.json of tools/make_scenes.py")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--results", type=Path, help="COCO results")
    source.add_argument("--model", type=Path, help="ONNX file with an embedded card")
    parser.add_argument("--require", type=float, metavar="MAP", help="exit 1 if mask_map is below this")
    options = parser.parse_args()
    truth = json.loads(options.truth.read_text())
    if options.model:
        results = results_of_model(options.model, truth, options.truth.parent)
    else:
        results = results_of_file(options.results, truth)
    figures = evaluate(truth, results)
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=2))
    if options.require is not None and figures["mask_map"] < options.require:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
