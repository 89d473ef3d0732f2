"""Exports of the usual PyTorch sources: each writes the model of an installed package and gives its card."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import shutil
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from yolact.labels import COCO

from .detr import IMAGENET
from .form import save

INSTALL = {
    "ultralytics": "pip install ultralytics",
    "torchvision": "pip install torch torchvision",
    "transformers": "pip install transformers timm scipy",
    "yolox": "pip install git+https://github.com/Megvii-BaseDetection/YOLOX",
    "nanodet": "pip install git+https://github.com/RangiLyu/nanodet",
}


class Missing(Exception):
    """A package, with how to install it."""


class Unknown(Exception):
    """A model that the package does not have, with those that it has."""


def package(name: str):
    try:
        return importlib.import_module(name)
    except ImportError as fault:
        raise Missing(f"the package {name} cannot be imported ({fault}); install it: {INSTALL[name]}") from fault


def labels_of(names: dict[int, str] | None) -> dict:
    return {"labels": [names[index] for index in sorted(names)]} if names else {
        "labels": list(COCO.values()), "category_ids": list(COCO)}


def yolo(options: argparse.Namespace, path: Path) -> dict:
    """YOLOv5u, v8, 11 .. by ultralytics' own exporter, which writes names, task and size into the file."""
    source = options.weights or (f"{options.name}.yaml" if options.random else f"{options.name}.pt")
    model = package("ultralytics").YOLO(str(source))
    written = Path(model.export(format="onnx", imgsz=options.size, dynamic=options.dynamic, simplify=False, opset=17))
    shutil.move(written, path)
    file = onnx.load(path)
    facts = {entry.key: entry.value for entry in file.metadata_props}
    shapes = [[dim.dim_value for dim in output.type.tensor_type.shape.dim] for output in file.graph.output]
    names = [output.name for output in file.graph.output]
    section = {"name": file.graph.input[0].name, "channels": "rgb", "mean": [0, 0, 0], "std": [255, 255, 255],
               "width": options.size, "height": options.size}
    if facts["task"] == "classify":
        return {"decoder": "classification", "input": section | {"geometry": "center-crop", "short_side": options.size},
                "outputs": {"logits": names[0]}, "classification": {"activation": "none"},
                **labels_of(ast.literal_eval(facts["names"]))}
    section |= {"geometry": "letterbox", "padding": 114}
    section |= {"stride": int(facts["stride"])} if options.dynamic else {}
    ended = shapes[0][-1] == 6 + (32 if facts["task"] == "segment" else 0)
    return {"decoder": "yolo", "input": section,
            "outputs": {"detections": names[0], **({"proto": names[1]} if facts["task"] == "segment" else {})},
            "yolo": {"layout": "end2end" if ended else "v8"}, **labels_of(ast.literal_eval(facts["names"]))}


def torchvision(options: argparse.Namespace, path: Path) -> dict:
    """RetinaNet, FCOS, SSD, Faster and Mask R-CNN with everything inside the graph; pictures of any size."""
    package("torchvision")
    from .vision import Whole

    from torchvision.models import detection, list_models

    known = list_models(module=detection)
    if options.name not in known:
        raise Unknown(f"torchvision has no detector {options.name}; it has {', '.join(known)}")
    model = getattr(detection, options.name)(weights=None, weights_backbone=None).eval()
    load(model, options)
    names = ["boxes", "labels", "scores"] + (["masks"] if options.name.startswith("mask") else [])
    axes = {"image": {1: "height", 2: "width"}} | {name: {0: "detections"} for name in names}
    axes |= {"masks": {0: "detections", 2: "height", 3: "width"}} if "masks" in names else {}
    save(Whole(model, names), torch.rand(3, options.size, options.size * 4 // 3), path, outputs=names, dynamic=axes)
    labels = [COCO.get(index, "N/A") for index in range(1, 91)]
    return {"decoder": "instances",
            "input": {"name": "image", "channels": "rgb", "mean": [0, 0, 0], "std": [255, 255, 255],
                      "geometry": "original"},
            "outputs": {name: name for name in names},
            "instances": {"first_label": 1, **({"masks": "input"} if "masks" in names else {})},
            "labels": labels, "category_ids": list(range(1, 91))}


class Fields(nn.Module):
    """A transformers model as a function of pixels."""

    def __init__(self, model: nn.Module, names: list[str]):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        found = self.model(pixel_values=pixels)
        return tuple(getattr(found, name) for name in self.names)


def transformers(options: argparse.Namespace, path: Path) -> dict:
    """DETR, MaskFormer and Mask2Former of transformers; `--weights`: a folder of save_pretrained."""
    library = package("transformers")
    classes = {"detr": ("DetrForObjectDetection", "DetrConfig"), "detr-segment": ("DetrForSegmentation", "DetrConfig"),
               "maskformer": ("MaskFormerForInstanceSegmentation", "MaskFormerConfig"),
               "mask2former": ("Mask2FormerForUniversalSegmentation", "Mask2FormerConfig")}
    if options.name not in classes:
        raise Unknown(f"no model {options.name} of transformers is known here; known are {', '.join(classes)}")
    kind, config = classes[options.name]
    if options.random:
        torch.manual_seed(1)
        backbone = {"backbone_config": library.ResNetConfig(depths=[1, 1, 1, 1], hidden_sizes=[32, 64, 96, 128],
                                                            embedding_size=32, out_features=[
                                                                "stage1", "stage2", "stage3", "stage4"])}
        detr = backbone | {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None}
        model = getattr(library, kind)(getattr(library, config)(**(detr if "detr" in options.name else {})))
    else:
        model = getattr(library, kind).from_pretrained(str(options.weights), local_files_only=True)
    roles = {"detr": {"logits": "logits", "boxes": "pred_boxes"},
             "detr-segment": {"logits": "logits", "boxes": "pred_boxes", "masks": "pred_masks"}}.get(
        options.name, {"logits": "class_queries_logits", "masks": "masks_queries_logits"})
    save(Fields(model.eval(), list(roles.values())), torch.rand(1, 3, options.size, options.size), path,
         input_name="pixel_values", outputs=list(roles.values()))
    names = {int(index): name for index, name in model.config.id2label.items()}
    decoder = "detr" if "detr" in options.name else "mask2former"
    return {"decoder": decoder, "input": {"name": "pixel_values", "channels": "rgb", **IMAGENET, "geometry": "stretch",
                                          "width": options.size, "height": options.size},
            "outputs": roles, decoder: {}, **labels_of(names)}


def yolox(options: argparse.Namespace, path: Path) -> dict:
    """YOLOX of Megvii's package, boxes left to be decoded."""
    package("yolox")
    from yolox.exp import get_exp

    try:
        experiment = get_exp(None, options.name)
    except ImportError as fault:
        raise Unknown(f"yolox has no model {options.name} ({fault}); it has yolox-nano, -tiny, -s, -m, -l and -x"
                      ) from fault
    model = experiment.get_model().eval()
    load(model, options, "model")
    model.head.decode_in_inference = False
    save(model, torch.zeros(1, 3, options.size, options.size), path, input_name="images", outputs=["output"])
    return {"decoder": "yolox",
            "input": {"name": "images", "channels": "bgr", "mean": [0, 0, 0], "std": [1, 1, 1], "geometry": "letterbox",
                      "width": options.size, "height": options.size, "align": "top-left", "rounding": "down",
                      "padding": 114},
            "outputs": {"detections": "output"}, "yolox": {"decoded": False}, **labels_of(None)}


def nanodet(options: argparse.Namespace, path: Path) -> dict:
    """NanoDet of its own package; `--name`: its configuration file."""
    package("nanodet")
    from nanodet.model import backbone as backbones
    from nanodet.model.arch import build_model
    from nanodet.util import cfg, load_config

    if not Path(options.name).is_file():
        raise Unknown(f"{options.name} is no file; nanodet's configurations are in the folder config of its repository")
    load_config(cfg, options.name)
    backbone = cfg.model.arch.backbone
    if "pretrain" in inspect.signature(getattr(backbones, backbone.name)).parameters:
        # Else it fetches ImageNet's weights, only to have them replaced.
        cfg.defrost()
        backbone.pretrain = False
    model = build_model(cfg.model).eval()
    load(model, options, "state_dict", "model.")
    width, height = cfg.data.val.input_size
    kept = {"geometry": "letterbox", "padding": 0} if cfg.data.val.keep_ratio else {"geometry": "stretch"}
    save(model, torch.zeros(1, 3, height, width), path, input_name="data", outputs=["output"])
    mean, std = cfg.data.val.pipeline.normalize
    head = cfg.model.arch.head
    return {"decoder": "nanodet",
            "input": {"name": "data", "channels": "bgr", "mean": list(mean), "std": list(std), **kept,
                      "width": width, "height": height},
            "outputs": {"detections": "output"},
            "nanodet": {"strides": list(head.strides), "center_offset": 0.0 if "Plus" in head.name else 0.5},
            **labels_of(dict(enumerate(cfg.class_names)))}


def load(model: nn.Module, options: argparse.Namespace, key: str | None = None, prefix: str = "") -> None:
    """The state of `--weights`; `key`: where a training checkpoint keeps it."""
    if options.weights is None:
        return
    state = torch.load(options.weights, map_location="cpu", weights_only=True)
    state = state.get(key, state) if key else state
    model.load_state_dict({name.removeprefix(prefix): value for name, value in state.items()})
