"""SSD and SSDLite: torchvision's models, whole and as raw heads."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD

from . import anchors, instances
from .form import Form, Outputs, most, save, threshold
from .geometry import Placement
from .instance import Instance, Ties, above, activated, best_first
from .parts import Backbone, ConvAct
from .retinanet import selected
from .vision import LABELS, MEAN, STD, model_threshold, raise_softmax, settled, write_whole

RATIOS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
SCALES = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
STEPS = [8, 16, 32, 64, 100, 300]
SIZES = [[38, 38], [19, 19], [10, 10], [5, 5], [3, 3], [1, 1]]
LITE_SIZES = [[20, 20], [10, 10], [5, 5], [3, 3], [2, 2], [1, 1]]
SCORE, OBJECTS = 0.2, 40


class Maps(nn.Module):
    """The six maps of SSD300: 38, 19, 10, 5, 3, 1."""

    def __init__(self):
        super().__init__()
        self.base = Backbone(act=nn.ReLU)
        widths = self.base.widths
        self.extra = nn.ModuleList([ConvAct(widths[2], 32, 3, 2, nn.ReLU),
                                    nn.Sequential(nn.Conv2d(32, 32, 3), nn.ReLU()),
                                    nn.Sequential(nn.Conv2d(32, 32, 3), nn.ReLU())])
        self.out_channels = [*widths, 32, 32, 32]

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.base(x)
        for layer in self.extra:
            features.append(layer(features[-1]))
        return OrderedDict((str(index), feature) for index, feature in enumerate(features))


def model(lite: bool) -> SSD:
    torch.manual_seed(16)
    options = dict(num_classes=1 + len(LABELS), score_thresh=SCORE, detections_per_img=100)
    if lite:
        made = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, **options)
    else:
        maps = Maps()
        made = SSD(maps, DefaultBoxGenerator(RATIOS, scales=SCALES, steps=STEPS), (300, 300), **options)
    made = made.eval()
    heads = made.head
    last = [list(module.modules())[-1] for module in heads.classification_head.module_list]
    boxes = [list(module.modules())[-1] for module in heads.regression_head.module_list]
    targets = {layer: (0.0, 0.8) for layer in last} | {layer: (0.0, 1.0) for layer in boxes}
    return settled(made, heads, targets, lambda given: raise_softmax(
        [layer.bias for layer in last], given["cls_logits"], OBJECTS, given["cls_logits"].shape[1], SCORE))


class Heads(nn.Module):
    """Backbone and heads; activated scores and the priors where asked for."""

    def __init__(self, made: SSD, finished: bool):
        super().__init__()
        self.made, self.finished = made, finished

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = list(self.made.backbone(x).values())
        heads = self.made.head(features)
        if not self.finished:
            return heads["cls_logits"], heads["bbox_regression"]
        sizes = [list(feature.shape[-2:]) for feature in features]
        priors = self.made.anchor_generator._grid_default_boxes(sizes, list(x.shape[-2:]))
        return heads["cls_logits"].softmax(-1), heads["bbox_regression"], priors


def write(path: Path, lite: bool, finished: bool) -> dict:
    made, size = model(lite), 320 if lite else 300
    names = ["scores", "boxes", *(["priors"] if finished else [])]
    save(Heads(made, finished), torch.zeros(1, 3, size, size), path, outputs=names)
    mean, std = ([127.5] * 3, [127.5] * 3) if lite else (MEAN, STD)
    generator = made.anchor_generator
    if finished:
        parameters = {"activation": "none"}
    else:
        parameters = {"activation": "softmax", "feature_sizes": LITE_SIZES if lite else SIZES,
                      "scales": [float(scale) for scale in generator.scales], "aspect_ratios": generator.aspect_ratios,
                      "clip": True, **({} if lite else {"steps": STEPS})}
    parameters |= {"variances": [0.1, 0.2], "candidates_per_class": 300 if lite else 400,
                   "iou_threshold": 0.55 if lite else 0.45, "max_detections": 100}
    return {"name": path.stem, "decoder": "ssd",
            "input": {"name": "image", "channels": "rgb", "mean": mean, "std": std, "geometry": "stretch",
                      "width": size, "height": size},
            "outputs": {name: name for name in names}, "ssd": parameters,
            "thresholds": {"score": model_threshold(made), "top_k": 100}, "labels": LABELS}


def default_boxes(parameters: dict, height: int, width: int) -> np.ndarray:
    """cx cy w h [A, 4], relative, written from the paper's page 6 and torchvision's order."""
    result, scales = [], parameters["scales"]
    steps = parameters.get("steps")
    for level, ((rows, columns), ratios) in enumerate(zip(parameters["feature_sizes"], parameters["aspect_ratios"])):
        scale, next_scale = scales[level], scales[level + 1]
        shapes = [(scale, scale), ((scale * next_scale) ** 0.5,) * 2]
        for ratio in ratios:
            wide, narrow = scale * ratio**0.5, scale / ratio**0.5
            shapes += [(wide, narrow), (narrow, wide)]
        down, across = (height / steps[level], width / steps[level]) if steps else (rows, columns)
        for row in range(rows):
            for column in range(columns):
                result += [((column + 0.5) / across, (row + 0.5) / down, *shape) for shape in shapes]
    boxes = np.array(result, np.float64)
    if parameters.get("clip", True):
        boxes[:, 2:] = boxes[:, 2:].clip(0, 1)
    return boxes


def reference(outputs: Outputs, where: Placement, card: dict, ties: Ties) -> list[Instance]:
    parameters, limit = card["ssd"], threshold(card)
    scores = activated(outputs["scores"][0], parameters.get("activation", "softmax"))[:, 1:]
    if "priors" in outputs:
        priors = outputs["priors"].reshape(-1, 4).astype(np.float64)
    else:
        priors = default_boxes(parameters, where.input_height, where.input_width)
    assert len(priors) == len(scores), f"{len(scores)} anchors, the card makes {len(priors)}"
    size = np.array([where.input_width, where.input_height] * 2, np.float64)
    places = np.concatenate([priors[:, :2] - priors[:, 2:] / 2, priors[:, :2] + priors[:, 2:] / 2], 1) * size
    found = []
    for label in range(scores.shape[1]):
        kept = np.flatnonzero(above(scores[:, label], limit, ties))
        kept = kept[best_first(scores[kept, label], parameters.get("candidates_per_class", 400), ties)]
        found.append(np.stack([kept, np.full(len(kept), label)], 1))
    anchor, label = np.concatenate(found).T
    boxes = anchors.decoded(outputs["boxes"][0][anchor], places[anchor], tuple(parameters.get("variances", (0.1, 0.2))))
    return selected(boxes, scores[anchor, label], label, where, card, parameters.get("iou_threshold", 0.45),
                    parameters.get("max_detections", 200), ties)


def forms() -> list[Form]:
    names = ["boxes", "scores", "labels"]
    return [Form("ssd_raw", lambda path: write(path, False, False), reference),
            Form("ssd_priors", lambda path: write(path, False, True), reference),
            Form("ssdlite_raw", lambda path: write(path, True, False), reference),
            Form("ssd_whole", lambda path: write_whole(model(False), path, names), instances.reference, whole=True),
            Form("ssdlite_whole", lambda path: write_whole(model(True), path, names), instances.reference,
                 recognised=True, whole=True)]
