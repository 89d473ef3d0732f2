"""Backgrounds: photographs inside the scikit-image wheel, and generated textures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

# chelsea.png is left out: it shows a cat, which is one of the labels.
PHOTOGRAPHS = [
    "astronaut.png", "brick.png", "coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
    "ihc.png", "moon.png", "motorcycle_left.png", "motorcycle_right.png", "retina.jpg", "rocket.jpg", "camera.png",
]


def photographs() -> list[np.ndarray]:
    """RGB uint8 pictures of the installed scikit-image wheel, without importing the package."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("scikit-image is not installed: run tools/venv")
    folder = Path(spec.origin).parent / "data"
    return [np.asarray(Image.open(folder / name).convert("RGB")) for name in PHOTOGRAPHS if (folder / name).exists()]


def background(rng: np.random.Generator, photos: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """RGB float32 [height, width, 3] in 0-255: 60 % photograph crops, 40 % textures."""
    if photos and rng.random() < 0.6:
        return _crop(rng, photos[rng.integers(len(photos))], width, height)
    return _texture(rng, width, height)


def _crop(rng: np.random.Generator, photo: np.ndarray, width: int, height: int) -> np.ndarray:
    photo_height, photo_width = photo.shape[:2]
    scale = min(photo_width / width, photo_height / height) * rng.uniform(0.4, 1.0)
    crop_width, crop_height = max(2, int(width * scale)), max(2, int(height * scale))
    x = rng.integers(photo_width - crop_width + 1)
    y = rng.integers(photo_height - crop_height + 1)
    window = photo[y:y + crop_height, x:x + crop_width]
    if rng.random() < 0.5:
        window = window[:, ::-1]
    resized = cv2.resize(np.ascontiguousarray(window), (width, height), interpolation=cv2.INTER_AREA)
    gain = rng.uniform(0.6, 1.2)
    return np.clip(resized.astype(np.float32) * gain, 0, 255)


def _texture(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Value noise over 2-64 cells, or stripes, mapped to a line between two colours."""
    if rng.random() < 0.75:
        field = np.zeros((height, width), np.float32)
        for octave in range(1, 7):
            cells = 2 ** octave
            noise = rng.random((cells + 1, cells + 1), dtype=np.float32)
            field += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * rng.uniform(0, 1.0) / octave
    else:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        angle, period = rng.uniform(0, np.pi), rng.uniform(8, 80)
        field = np.sin((x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period))
        if rng.random() < 0.5:
            field = field * np.sin((y * np.cos(angle) - x * np.sin(angle)) * (2 * np.pi / period))
        field = field.astype(np.float32)
    low, high = float(field.min()), float(field.max())
    field = (field - low) / max(high - low, 1e-6)
    first, second = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    return (field[..., None] * (second - first) + first).astype(np.float32)
