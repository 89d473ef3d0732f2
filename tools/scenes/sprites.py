"""Object sprites: glyphs of the Debian package fonts-noto-color-emoji rendered at their bitmap size."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT_PATH = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
BITMAP_SIZE = 109  # the only size (pixels per em) that the font's bitmap strike has

GLYPHS = {
    "cat": "\U0001F431",
    "dog": "\U0001F436",
    "horse": "\U0001F434",
    "elephant": "\U0001F418",
    "bird": "\U0001F426",
    "teddy bear": "\U0001F9F8",
    "bus": "\U0001F68C",
    "car": "\U0001F697",
    "airplane": "\u2708",
    "boat": "\u26F5",
    "umbrella": "\u2602",
    "ball": "\u26BD",
    "apple": "\U0001F34E",
    "banana": "\U0001F34C",
    "orange": "\U0001F34A",
    "carrot": "\U0001F955",
    "pizza": "\U0001F355",
    "donut": "\U0001F369",
    "cup": "\u2615",
    "clock": "\u23F0",
}
LABELS = list(GLYPHS)


class SpriteSet:
    """Premultiplied RGBA float32 sprites (0-1), one list of halved resolutions per label."""

    def __init__(self, font_path: str = FONT_PATH):
        font = ImageFont.truetype(font_path, BITMAP_SIZE)
        self.levels = [self._pyramid(_render(font, text)) for text in GLYPHS.values()]

    @staticmethod
    def _pyramid(sprite: np.ndarray) -> list[np.ndarray]:
        levels = [sprite]
        while max(levels[-1].shape[:2]) > 32:
            height, width = levels[-1].shape[:2]
            size = ((width + 1) // 2, (height + 1) // 2)
            levels.append(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA))
        return levels

    def at_size(self, label: int, pixels: float) -> np.ndarray:
        """The smallest stored resolution whose longer side is at least `pixels`."""
        candidates = [level for level in self.levels[label] if max(level.shape[:2]) >= pixels]
        return candidates[-1] if candidates else self.levels[label][0]


def _render(font: ImageFont.FreeTypeFont, text: str) -> np.ndarray:
    canvas = Image.new("RGBA", (192, 192), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((16, 16), text, font=font, embedded_color=True)
    glyph = np.asarray(canvas.crop(canvas.getbbox()), dtype=np.float32) / 255
    glyph = np.pad(glyph, ((1, 1), (1, 1), (0, 0)))
    glyph[..., :3] *= glyph[..., 3:]
    return glyph
