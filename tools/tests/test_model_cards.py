"""The schema of model cards: which cards it takes, which it refuses."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "model-card.schema.json").read_text())
INPUT = {"geometry": "stretch", "width": 8, "height": 8, "mean": [0, 0, 0], "std": [1, 1, 1]}
HEADS = {f"head_{stride}": f"head_{stride}" for stride in (8, 16, 32)}
CARDS = {
    "yolo": ({"detections": "output0", "proto": "output1"}, {"layout": "v8", "iou_threshold": 0.7}),
    "yolo raw": (HEADS, {"layout": "v5-raw", "anchors": [[10, 13, 16, 30], [30, 61, 62, 45], [116, 90, 156, 198]]}),
    "yolox": ({"detections": "output"}, {"strides": [8, 16, 32], "decoded": False}),
    "nanodet": ({f"{role}_{stride}": f"{role}_{stride}" for role in ("scores", "boxes") for stride in (8, 16)},
                {"strides": [8, 16], "center_offset": 0.5, "candidates_per_level": 100}),
    "ssd": ({"scores": "scores", "boxes": "boxes"}, {
        "feature_sizes": [[4, 4], [2, 2]], "scales": [0.1, 0.4, 0.8], "aspect_ratios": [[2], [2, 3]], "clip": True,
        "activation": "softmax", "variances": [0.1, 0.2], "candidates_per_class": 400}),
    "retinanet": ({"scores": "scores", "boxes": "boxes"}, {"sizes": [[32, 40, 50]], "strides": [8], "activation": "none"}),
    "fcos": ({"scores": "scores", "boxes": "boxes", "centerness": "centerness"}, {"strides": [8, 16]}),
    "instances": ({"boxes": "b", "scores": "s", "labels": "l", "masks": "m"}, {
        "coordinates": "relative", "corners": "cxcywh", "first_label": 1, "masks": "box", "mask_activation": "sigmoid"}),
    "instances merged": ({"dets": "dets", "labels": "labels"}, {}),
    "detr": ({"logits": "logits", "boxes": "pred_boxes", "masks": "pred_masks"}, {"activation": "sigmoid"}),
    "mask2former": ({"logits": "a", "masks": "b"}, {"max_detections": 50}),
    "semantic": ({"logits": "out"}, {"background": 0}),
    "classification": ({"logits": "output"}, {"activation": "none"}),
}
GEOMETRIES = [
    {"width": 8, "height": 8},
    {"geometry": "letterbox", "width": 8, "height": 8, "align": "top-left", "rounding": "down", "stride": 4, "padding": 114},
    {"geometry": "keep-ratio", "short_side": 800, "long_side": 1333, "stride": 32},
    {"geometry": "center-crop", "width": 224, "height": 224, "short_side": 256},
    {"geometry": "original"},
]


def card(name: str) -> dict:
    outputs, parameters = CARDS[name]
    decoder = name.split()[0]
    return {"name": "model", "decoder": decoder, "input": INPUT, "outputs": outputs, decoder: parameters,
            "thresholds": {"score": 0.3, "top_k": 100}, "labels": ["cat"]}


def is_valid(value: dict) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(value)


def test_the_schema_is_one_and_knows_every_detector():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert {name.split()[0] for name in CARDS} | {"yolact"} == set(SCHEMA["properties"]["decoder"]["enum"])
    for path in (ROOT / "models").glob("*.card.json"):
        jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))


@pytest.mark.parametrize("name", CARDS)
def test_every_detector_has_cards(name):
    jsonschema.Draft202012Validator(SCHEMA).validate(card(name))


@pytest.mark.parametrize("name", CARDS)
def test_unknown_keys_roles_and_sections_are_refused(name):
    wrong = [copy.deepcopy(card(name)) for _ in range(3)]
    wrong[0][wrong[0]["decoder"]]["surprise"] = 1
    wrong[1]["outputs"]["surprise"] = "output"
    wrong[2]["yolact"] = {}
    assert not any(map(is_valid, wrong))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_geometries_have_their_own_sizes(geometry):
    rest = {"mean": [0, 0, 0], "std": [1, 1, 1]}
    assert is_valid(card("yolox") | {"input": geometry | rest})
    for key in ("width", "short_side"):
        without = {name: value for name, value in geometry.items() if name != key}
        assert is_valid(card("yolox") | {"input": without | rest}) == (key not in geometry)
        if key not in geometry:
            assert not is_valid(card("yolox") | {"input": geometry | rest | {key: 8}})
