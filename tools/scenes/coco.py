"""COCO ground truth and mAP of composed scenes (pycocotools)."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .compose import Scene
from .sprites import LABELS


def encode_mask(mask: np.ndarray) -> dict:
    """Compressed column-major RLE of a bool [H, W] bitmap."""
    encoded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode("ascii")}


def ground_truth(scenes: list[Scene], names: list[str]) -> dict:
    """A COCO data set: image ids from 1 in the order of `scenes`, category ids from 1 in the order of the labels."""
    images, annotations = [], []
    for image_id, (scene, name) in enumerate(zip(scenes, names), 1):
        height, width = scene.instances.shape
        images.append({"id": image_id, "file_name": name, "width": width, "height": height})
        for number, label in enumerate(scene.labels, 1):
            if label < 0:
                continue
            segmentation = encode_mask(scene.instances == number)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image_id, "category_id": label + 1, "iscrowd": 0,
                "segmentation": segmentation, "area": int(rle.area(segmentation)),
                "bbox": [float(value) for value in rle.toBbox(segmentation)],
            })
    categories = [{"id": index, "name": name} for index, name in enumerate(LABELS, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def evaluate(truth: dict, results: list[dict]) -> dict[str, float]:
    """`mask_map`, `box_map` (both @[.50:.95]), `mask_ap50`, `box_ap50` and mask AP by COCO's area classes."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        if not results:
            return {"mask_map": 0.0, "box_map": 0.0}
        found = coco.loadRes(results)
        figures: dict[str, float] = {}
        for kind, name in (("segm", "mask"), ("bbox", "box")):
            run = COCOeval(coco, found, kind)
            run.evaluate()
            run.accumulate()
            run.summarize()
            figures[f"{name}_map"] = float(run.stats[0])
            figures[f"{name}_ap50"] = float(run.stats[1])
            if kind == "segm":
                for size, value in zip(("small", "medium", "large"), run.stats[3:6]):
                    figures[f"mask_map_{size}"] = float(value)
    return figures
