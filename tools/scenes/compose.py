"""One scene: 2-8 sprites, rotated, mirrored, overlapping and cut by the border, over a background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .backgrounds import background, photographs
from .sprites import LABELS, SpriteSet

MINIMUM_VISIBLE_PIXELS = 60
MAXIMUM_COVERED = 0.6  # a new object may hide at most this share of an earlier one's box
PLACEMENT_TRIALS = 8


@dataclass
class Scene:
    """`image` RGB uint8 [H, W, 3]; `instances` uint8 [H, W], 0 = background, k = object k; `labels[k-1]` its class.

    Objects with under 60 visible pixels are part of `image` but 0 in `instances` (label -1).
    """

    image: np.ndarray
    instances: np.ndarray
    labels: list[int]


class Materials:
    """What every scene is made from; loaded once."""

    def __init__(self) -> None:
        self.sprites = SpriteSet()
        self.photos = photographs()


def compose(materials: Materials, seed: int, index: int, width: int = 256, height: int = 256) -> Scene:
    """The scene that (seed, index) names: the same arrays on every run and machine with the same packages."""
    rng = np.random.Generator(np.random.PCG64([seed, index]))
    canvas = background(rng, materials.photos, width, height)
    instances = np.zeros((height, width), np.uint8)
    count = int(rng.integers(2, 9))
    # Objects keep their shape in the picture's own aspect, and square pictures also see stretched ones,
    # since a network's input may be a stretched picture.
    stretch = float(np.exp(rng.uniform(-0.3, 0.3))) if width == height and rng.random() < 0.5 else 1.0
    labels: list[int] = []
    boxes: list[tuple[float, float, float, float]] = []
    for number in range(1, count + 1):
        label = int(rng.integers(len(LABELS)))
        size = float(np.exp(rng.uniform(np.log(0.10), np.log(0.65)))) * min(width, height)
        box = _place(rng, boxes, size, width, height)
        boxes.append(box)
        _paint(rng, canvas, instances, materials.sprites.at_size(label, size), box, size, stretch, number)
        labels.append(label)
    image = _degrade(rng, canvas)
    for number in range(1, count + 1):
        visible = instances == number
        if int(visible.sum()) < MINIMUM_VISIBLE_PIXELS:
            instances[visible] = 0
            labels[number - 1] = -1
    return Scene(image, instances, labels)


def _place(rng, boxes, size: float, width: int, height: int) -> tuple[float, float, float, float]:
    """A square box whose centre lies in the picture; the last trial is taken if all of them hide too much."""
    box = (0.0, 0.0, 0.0, 0.0)
    for _ in range(PLACEMENT_TRIALS):
        x, y = rng.uniform(0.02, 0.98) * width, rng.uniform(0.02, 0.98) * height
        box = (x - size / 2, y - size / 2, x + size / 2, y + size / 2)
        if all(_covered(other, box) <= MAXIMUM_COVERED for other in boxes):
            break
    return box


def _covered(box, by) -> float:
    overlap_x = min(box[2], by[2]) - max(box[0], by[0])
    overlap_y = min(box[3], by[3]) - max(box[1], by[1])
    if overlap_x <= 0 or overlap_y <= 0:
        return 0.0
    return overlap_x * overlap_y / ((box[2] - box[0]) * (box[3] - box[1]))


def _paint(rng, canvas, instances, sprite, box, size, stretch, number) -> None:
    """Warps the sprite around the box's centre and lays it over `canvas` and `instances`, in place."""
    sprite_height, sprite_width = sprite.shape[:2]
    scale = size / max(sprite_height, sprite_width)
    angle = np.deg2rad(rng.normal(0, 15))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    gain = rng.uniform(0.7, 1.15)
    across, down = np.sqrt(stretch), 1 / np.sqrt(stretch)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = np.array([[cosine * mirror * across, -sine * across, 0], [sine * mirror * down, cosine * down, 0]])
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    reach = int(size * 0.95) + 4
    left, top = int(centre[0]) - reach, int(centre[1]) - reach
    matrix[:, 2] = centre - (left, top) - matrix[:, :2] @ np.array([sprite_width / 2, sprite_height / 2])
    layer = cv2.warpAffine(sprite, matrix, (2 * reach, 2 * reach), flags=cv2.INTER_LINEAR)
    height, width = instances.shape
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + 2 * reach, width), min(top + 2 * reach, height)
    if x1 <= x0 or y1 <= y0:
        return
    layer = layer[y0 - top:y1 - top, x0 - left:x1 - left]
    alpha = layer[..., 3:]
    view = canvas[y0:y1, x0:x1]
    view *= 1 - alpha
    view += layer[..., :3] * np.float32(255 * gain)
    instances[y0:y1, x0:x1][alpha[..., 0] > 0.5] = number


def _degrade(rng, canvas: np.ndarray) -> np.ndarray:
    """Sometimes blur, sometimes noise; then 8 bits."""
    height = canvas.shape[0]
    if rng.random() < 0.2:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.2) * height / 256)
    if rng.random() < 0.25:
        noise = rng.standard_normal(canvas.shape[:2] + (1,), dtype=np.float32) * np.float32(rng.uniform(2, 12))
        canvas = canvas + noise
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)
