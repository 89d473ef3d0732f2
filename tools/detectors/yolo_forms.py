"""The YOLO exports: every layout, detect and segment, with the metadata that ultralytics writes."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

from . import pictures
from .form import Form, save
from .yolo import ANCHORS, SCORE, STRIDES, ExportV5, ExportV8, NetworkV5, NetworkV8, reference, settled

LABELS = ["person", "bicycle", "car", "dog", "kite", "traffic light"]
COEFFICIENTS = 8


def metadata(task: str, size: int, labels: list[str] = LABELS) -> dict[str, str]:
    """As ultralytics' exporter writes it: Python literals as text."""
    return {
        "description": "Random weights, tools/detectors/yolo.py", "stride": str(max(STRIDES)), "task": task,
        "batch": "1", "imgsz": str([size, size]), "names": str(dict(enumerate(labels))), "channels": "3",
    }


def input_section(size: int, dynamic: bool, name: str = "images") -> dict:
    section = {"name": name, "channels": "rgb", "mean": [0, 0, 0], "std": [255, 255, 255], "geometry": "letterbox",
               "width": size, "height": size, "padding": 114}
    return section | ({"stride": max(STRIDES)} if dynamic else {})


@functools.cache
def network(old: bool, segment: bool, size: int) -> NetworkV5 | NetworkV8:
    """Settled on pictures; the layouts of a generation share it."""
    torch.manual_seed(11)
    made = (NetworkV5 if old else NetworkV8)(len(LABELS), COEFFICIENTS if segment else 0)
    return settled(made, pictures.batch(input_section(size, False)))


def export(layout: str, segment: bool, size: int) -> ExportV5 | ExportV8:
    """What gives the outputs of `card`, in their order."""
    old = layout.startswith("v5")
    return (ExportV5 if old else ExportV8)(network(old, segment, size), layout).eval()


def card(name: str, layout: str, segment: bool, size: int, dynamic: bool = False) -> dict:
    old = layout.startswith("v5")
    if layout.endswith("raw"):
        roles = [f"head_{stride}" for stride in STRIDES]
        roles += ["coefficients"] if segment and not old else []
        outputs = {role: f"{role}_out" for role in roles}
    else:
        outputs = {"detections": "output0"}
    if segment:
        outputs["proto"] = "output1"
    parameters = {"layout": layout}
    if layout != "end2end":
        parameters |= {"iou_threshold": 0.45 if old else 0.7, "max_detections": 300}
    if layout == "v5-raw":
        parameters["anchors"] = ANCHORS
    return {"name": name, "decoder": "yolo", "input": input_section(size, dynamic), "outputs": outputs,
            "yolo": parameters, "thresholds": {"score": SCORE, "top_k": 300}, "labels": LABELS}


def write(path: Path, layout: str, segment: bool, size: int = 320, dynamic: bool = False) -> dict:
    made = card(path.stem, layout, segment, size, dynamic)
    outputs = list(made["outputs"].values())
    axes = {"images": {2: "height", 3: "width"}, "output0": {1 if layout.startswith("v5") else 2: "anchors"},
            "output1": {2: "mask_height", 3: "mask_width"}}
    save(export(layout, segment, size), torch.zeros(1, 3, size, size), path, input_name="images", outputs=outputs,
         metadata=metadata("segment" if segment else "detect", size),
         dynamic={name: axes[name] for name in ("images", *outputs)} if dynamic else None)
    return made


def forms() -> list[Form]:
    rows = [("v8", False, {}), ("v8", True, {}), ("v8", True, {"dynamic": True}), ("v5", False, {}), ("v5", True, {}),
            ("end2end", False, {}), ("end2end", True, {}), ("v5-raw", False, {}), ("v5-raw", True, {}),
            ("v8-raw", False, {}), ("v8-raw", True, {})]
    return [Form("_".join(["yolo", layout.replace("-", "_"), "segment" if segment else "detect", *options]),
                 lambda path, a=layout, b=segment, c=options: write(path, a, b, **c), reference,
                 recognised=not layout.endswith("raw")) for layout, segment, options in rows]
