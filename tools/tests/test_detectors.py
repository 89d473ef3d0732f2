"""The references of tools/detectors against what they can be held against without Sardonyx."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detectors import masks, pictures, retinanet, vision, yolo, yolo_forms
from detectors.comparison import Result, compare, parsed
from detectors.geometry import placement, prepared
from detectors.instance import Instance, Tie, Ties
from detectors.suppression import overlaps, suppressed

SHAPE = (500, 331)


@pytest.mark.parametrize("first, second", [("v5", "v5-raw"), ("v8", "v8-raw")])
def test_layouts_of_the_same_heads_give_the_same_objects(first, second):
    def instances(layout: str, picture: np.ndarray, ties: Ties) -> list[Instance]:
        card = yolo_forms.card(layout, layout, segment=True, size=160)
        value, where = prepared(picture, card["input"])
        with torch.no_grad():
            given = yolo_forms.export(layout, segment=True, size=160)(value)
        outputs = {role: tensor.numpy() for role, tensor in zip(card["outputs"], given, strict=True)}
        return yolo.reference(outputs, where, card, ties)

    result = Result()
    for index in (5, 7, 9):
        picture, ties = np.asarray(pictures.scene(index, *SHAPE)), Ties()
        compare(result, first, instances(first, picture, ties), instances(second, picture, ties), ties)
    assert result.instances > 0 and not result.faults


def test_raw_heads_give_what_torchvision_finds():
    model, result = retinanet.model(), Result()
    section = {"mean": vision.MEAN, "std": vision.STD, "geometry": "keep-ratio", "short_side": vision.SHORT,
               "long_side": vision.LONG, "stride": 32}
    card = {"input": section, "retinanet": {"max_detections": 100}, "labels": ["background", *vision.LABELS],
            "thresholds": {"score": retinanet.SCORE}}
    for index, shape in enumerate((SHAPE, (640, 360), (37, 53), (211, 640), (333, 217))):
        picture, ties = np.asarray(pictures.scene(index, *shape)), Ties()
        value, where = prepared(picture, section)
        with torch.no_grad():
            theirs = model([torch.tensor(picture).permute(2, 0, 1).float() / 255])[0]
            scores, boxes = vision.Raw(model, ["cls_logits", "bbox_regression"])(value)
        ours = retinanet.reference({"scores": scores.numpy(), "boxes": boxes.numpy()}, where, card, ties)
        found = [Instance(int(label), float(score), box.astype(np.float64)) for label, score, box in zip(
            theirs["labels"], theirs["scores"], theirs["boxes"].numpy())]
        compare(result, str(shape), ours, found, ties)
    assert result.instances > 20 and not result.faults


def test_suppression_keeps_the_best_of_each_class():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [0, 0, 0, 0]], np.float64)
    assert overlaps(boxes[0], boxes[1:]) == pytest.approx([90 / 110, 90 / 110, 0])
    kept = suppressed(boxes, np.array([0.5, 0.6, 0.4, 0.3]), np.array([0, 0, 1, 0]), 0.5, Ties())
    assert kept.tolist() == [1, 2, 3]
    ties = Ties()
    suppressed(boxes[:2], np.array([0.5, 0.6]), np.array([0, 0]), 90 / 110 + 1e-6, ties)
    assert [tie.kind for tie in ties.found] == ["overlap"]


def test_letterboxes_never_lose_a_thin_picture():
    section = {"geometry": "letterbox", "width": 320, "height": 320}
    for width, height in pictures.SIZES.values():
        where = placement(width, height, section)
        assert 1 <= where.scaled_width <= 320 and 1 <= where.scaled_height <= 320
        assert np.allclose(masks.to_picture(np.ones((1, 80, 80)), where), 1)


def test_boxes_return_to_their_place():
    for geometry in ("stretch", "letterbox", "keep-ratio", "original"):
        section = {"geometry": geometry, "width": 320, "height": 256, "short_side": 200, "long_side": 300, "stride": 32}
        where = placement(640, 400, section)
        inside = np.array([[16.0, 8, 600, 390]])
        moved = inside * ([where.scale_x, where.scale_y] * 2) + [where.left, where.top] * 2
        assert where.to_picture(moved) == pytest.approx(inside)


def test_comparison_sees_what_differs():
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    expected = [Instance(1, 0.9, np.array([10.0, 10, 50, 50]), mask)]
    entry = {"class_index": 1, "score": 0.9, "exact_box": [10.0, 10.0, 50.0, 50.0], "box": [10, 10, 50, 50],
             "area": 1600, "segmentation": masks.encoded(mask)}
    result = Result()
    compare(result, "same", expected, [parsed(entry, 60, 60)], Ties())
    assert not result.faults and result.mask == 1.0
    compare(result, "score", expected, [parsed(entry | {"score": 0.90002}, 60, 60)], Ties())
    compare(result, "missing", expected, [], Ties())
    assert len(result.faults) == 2
    compare(result, "tie", expected, [], Ties([Tie("threshold", 0.9)]))
    assert len(result.faults) == 2 and result.near_ties == 1
    with pytest.raises(ValueError):
        parsed(entry | {"area": 1599}, 60, 60)


def test_metadata_is_as_ultralytics_writes_it():
    facts = yolo_forms.metadata("segment", 640, ["person", "it's"])
    assert facts["names"] == """{0: 'person', 1: "it's"}""" and facts["imgsz"] == "[640, 640]"
    assert yolo.STRIDES[-1] == int(facts["stride"])
