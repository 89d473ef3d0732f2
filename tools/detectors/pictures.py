"""Twenty pictures of different shapes: one pixel, one column, extreme ratios, odd sizes, an EXIF orientation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from .geometry import prepared

PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "photos"
SIZES = {
    "one_pixel": (1, 1), "one_column": (1, 300), "one_row": (300, 1), "tiny": (2, 3), "thin": (2000, 20),
    "tall": (20, 1000), "odd": (333, 217), "square": (320, 320), "small": (37, 53), "portrait": (240, 427),
    "landscape": (640, 360), "prime": (499, 331), "half": (160, 160), "wide": (900, 300), "high": (211, 640),
    "icon": (16, 16), "fine": (641, 479), "third": (107, 99),
}
JPEGS = {"turned": (400, 260, 6), "baseline": (450, 301, 1)}
"""Name -> stored width, height, EXIF orientation."""


def scene(index: int, width: int, height: int) -> Image.Image:
    """A photograph's part, or without photographs a generated one: gradients, discs and texture."""
    photos = sorted(PHOTOS.glob("*.jpg"))
    if photos:
        with Image.open(photos[index % len(photos)]) as photo:
            return ImageOps.fit(photo.convert("RGB"), (width, height), Image.Resampling.BICUBIC,
                                centering=(0.3 + 0.1 * (index % 5), 0.5))
    random = np.random.default_rng(index)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 200 / width, y * 200 / height, (x + y) * 100 / (width + height)], -1)
    for _ in range(12):
        cx, cy = random.uniform(0, width), random.uniform(0, height)
        radius = random.uniform(0.05, 0.3) * max(width, height)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = random.uniform(0, 255, 3)
    return Image.fromarray((pixels + random.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8))


def write(folder: Path) -> list[Path]:
    """Writes the pictures and gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, (name, (width, height)) in enumerate(SIZES.items()):
        paths.append(folder / f"{index:02}_{name}.png")
        scene(index, width, height).save(paths[-1])
    for index, (name, (width, height, orientation)) in enumerate(JPEGS.items(), len(SIZES)):
        paths.append(folder / f"{index:02}_{name}.jpg")
        exif = Image.Exif()
        exif[0x0112] = orientation
        scene(index, width, height).save(paths[-1], quality=95, subsampling=0, exif=exif)
    return paths


def read(path: Path) -> np.ndarray:
    """RGB [height, width, 3], upright."""
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def batch(card: dict) -> list[torch.Tensor]:
    """Network inputs of nine pictures of different shapes, for `parts.settle`; `card`: the card's `input`."""
    return [prepared(np.asarray(scene(index + 7, *shape)), card)[0]
            for index, shape in enumerate(list(SIZES.values())[::2])]
