"""Composed scenes: reproducible, exact masks, COCO figures that reward a perfect answer."""

import numpy as np
import pytest

from scenes.coco import encode_mask, evaluate, ground_truth
from scenes.compose import MINIMUM_VISIBLE_PIXELS, Materials, compose


@pytest.fixture(scope="module")
def materials() -> Materials:
    return Materials()


def test_a_seed_and_an_index_name_one_scene(materials):
    first, second, other = (compose(materials, 11, index) for index in (4, 4, 5))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.instances, second.instances)
    assert not np.array_equal(first.image, other.image)


def test_counted_instances_have_enough_visible_pixels(materials):
    for index in range(20):
        scene = compose(materials, 12, index, 320, 240)
        assert scene.image.shape == (240, 320, 3)
        for number, label in enumerate(scene.labels, 1):
            pixels = int((scene.instances == number).sum())
            assert pixels >= MINIMUM_VISIBLE_PIXELS if label >= 0 else pixels == 0


def test_the_ground_truth_itself_scores_one(materials):
    scenes = [compose(materials, 13, index) for index in range(5)]
    truth = ground_truth(scenes, [f"{index}.png" for index in range(5)])
    results = [{"image_id": image_id, "category_id": label + 1, "score": 0.9,
                "segmentation": encode_mask(scene.instances == number)}
               for image_id, scene in enumerate(scenes, 1) for number, label in enumerate(scene.labels, 1)
               if label >= 0]
    for entry, annotation in zip(results, truth["annotations"]):
        entry["bbox"] = annotation["bbox"]
    figures = evaluate(truth, results)
    assert figures["mask_map"] == pytest.approx(1) and figures["box_map"] == pytest.approx(1)
