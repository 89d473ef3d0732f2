"""Writes the expected values of the Detection tests: run-length measures by pycocotools, network inputs by PyTorch.

Run in this folder, with the detections of two published models (reference's web format) as arguments:
    make.py dets_yolact_base.json dets_yolact_resnet50.json
"""
import json
import sys

import numpy as np
import torch
from pycocotools import mask

measures = {}
for path in sys.argv[1:]:
    images = json.load(open(path))["images"]
    rles = [[{"size": d["mask"]["size"], "counts": d["mask"]["counts"]} for d in i["dets"]] for i in images]
    name = path.split("/")[-1].removesuffix(".json")
    flat = [r for image in rles for r in image]
    measures[f"{name}_area"] = np.array([mask.decode(r).sum() for r in flat], "<i4")
    measures[f"{name}_bounds"] = mask.toBbox(flat).astype("<i4")
    for index in range(3):
        r = rles[index]
        measures[f"{name}_iou{index}"] = np.asarray(mask.iou(r, r, [0] * len(r)))
        measures[f"{name}_crowd{index}"] = np.asarray(mask.iou(r, r, [1] * len(r)))
random = np.random.default_rng(5)
for index, (height, width) in enumerate([(1, 1), (1, 70), (70, 1), (7, 5), (64, 3), (33, 65)]):
    for kind, bitmap in [
        ("noise", random.random((height, width)) < 0.5), ("full", np.ones((height, width))),
        ("clear", np.zeros((height, width))), ("band", np.add.outer(np.arange(height), np.arange(width)) // 9 % 2),
    ]:
        bitmap = np.asfortranarray(bitmap.astype(np.uint8))
        measures[f"bitmap_{kind}{index}"] = np.ascontiguousarray(bitmap)
        measures[f"counts_{kind}{index}"] = np.frombuffer(mask.encode(bitmap)["counts"], np.uint8)
np.savez_compressed("rle.npz", **measures)

inputs = {}
mean, std = torch.tensor([103.94, 116.78, 123.68]), torch.tensor([57.38, 57.12, 58.40])
for index, ((width, height), (to_width, to_height)) in enumerate(
    [((37, 23), (64, 48)), ((64, 48), (37, 23)), ((1, 1), (5, 3)), ((19, 50), (19, 50)), ((97, 61), (16, 16))]
):
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    bgr = torch.from_numpy(rgb[:, :, ::-1].astype(np.float32)).permute(2, 0, 1)[None].contiguous()
    x = torch.nn.functional.interpolate(bgr, (to_height, to_width), mode="bilinear", align_corners=False)
    x = (x - mean[None, :, None, None]) / std[None, :, None, None]
    inputs[f"pixels{index}"] = rgb
    inputs[f"bgr{index}"] = x.numpy()
    inputs[f"rgb{index}"] = x[:, [2, 1, 0]].contiguous().numpy()
np.savez_compressed("preprocess.npz", **inputs)
