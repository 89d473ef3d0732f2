"""How a picture becomes the network's input, and how boxes return: one independent statement per card geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Placement:
    """Where the scaled picture lies in the network's input."""

    width: int
    height: int
    """The picture's size."""

    input_width: int
    input_height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int
    """The scaled picture's first column and row in the input; negative where it is cut."""

    scale_x: float
    scale_y: float
    """Input pixels to a picture pixel, as boxes return."""

    def held(self, boxes: np.ndarray) -> np.ndarray:
        """Input boxes [n, 4], held inside the part of the input that the picture covers."""
        first = np.array([self.left, self.top] * 2, np.float64)
        extent = np.array([self.scaled_width, self.scaled_height] * 2, np.float64)
        return np.clip(boxes, first, first + extent)

    def to_picture(self, boxes: np.ndarray) -> np.ndarray:
        """Input boxes [n, 4] in the picture's coordinates, held inside it."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float64)
        moved = (np.asarray(boxes, np.float64).reshape(-1, 4) - [self.left, self.top] * 2) / scale
        return np.clip(moved, 0, np.array([self.width, self.height] * 2, np.float64))


def stretch(width: int, height: int, card: dict) -> Placement:
    w, h = card["width"], card["height"]
    return Placement(width, height, w, h, w, h, 0, 0, w / width, h / height)


def padded(extent: int, stride: int | None, most: int) -> int:
    """`extent` up to the next multiple of the stride, at most `most`."""
    return most if stride is None else min(most, math.ceil(extent / stride) * stride)


def letterbox(width: int, height: int, card: dict) -> Placement:
    gain = min(card["width"] / width, card["height"] / height)
    whole = int if card.get("rounding") == "down" else round
    w, h = max(1, whole(width * gain)), max(1, whole(height * gain))
    stride = card.get("stride")
    input_width, input_height = padded(w, stride, card["width"]), padded(h, stride, card["height"])
    left = top = 0
    if card.get("align", "center") == "center":
        left, top = round((input_width - w) / 2 - 0.1), round((input_height - h) / 2 - 0.1)
    back = (gain, gain) if whole is int else (w / width, h / height)
    return Placement(width, height, input_width, input_height, w, h, left, top, *back)


def keep_ratio(width: int, height: int, card: dict) -> Placement:
    scale = min(card["short_side"] / min(width, height), card["long_side"] / max(width, height))
    w, h = max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
    stride = card.get("stride", 1)
    return Placement(width, height, -(-w // stride) * stride, -(-h // stride) * stride, w, h, 0, 0, w / width,
                     h / height)


def original(width: int, height: int, card: dict) -> Placement:
    return Placement(width, height, width, height, width, height, 0, 0, 1.0, 1.0)


def center_crop(width: int, height: int, card: dict) -> Placement:
    side = card["short_side"]
    w = side if width <= height else side * width // height
    h = side if height <= width else side * height // width
    left, top = -round((w - card["width"]) / 2), -round((h - card["height"]) / 2)
    return Placement(width, height, card["width"], card["height"], w, h, left, top, w / width, h / height)


GEOMETRIES = {"stretch": stretch, "letterbox": letterbox, "keep-ratio": keep_ratio, "original": original,
              "center-crop": center_crop}


def placement(width: int, height: int, card: dict) -> Placement:
    """`card`: the card's `input`."""
    return GEOMETRIES[card.get("geometry", "stretch")](width, height, card)


def prepared(picture: np.ndarray, card: dict) -> tuple[Tensor, Placement]:
    """The network's input [1, 3, H, W] of an RGB picture [h, w, 3] (uint8), normalised as the card's `input` says."""
    where = placement(picture.shape[1], picture.shape[0], card)
    pixels = torch.tensor(picture).permute(2, 0, 1)[None].float()
    if (where.scaled_height, where.scaled_width) != pixels.shape[-2:]:
        pixels = F.interpolate(pixels, (where.scaled_height, where.scaled_width), mode="bilinear", align_corners=False)
    if card.get("channels", "rgb") == "bgr":
        pixels = pixels.flip(1)
    mean, std = (torch.tensor(card[key], dtype=torch.float32).view(1, 3, 1, 1) for key in ("mean", "std"))
    if "padding" in card:
        outside = (torch.full((1, 3, 1, 1), float(card["padding"])) - mean) / std
    else:
        outside = torch.zeros(1, 3, 1, 1)
    result = outside.repeat(1, 1, where.input_height, where.input_width)
    rows = slice(max(0, where.top), min(where.input_height, where.top + where.scaled_height))
    columns = slice(max(0, where.left), min(where.input_width, where.left + where.scaled_width))
    result[:, :, rows, columns] = ((pixels - mean) / std)[
        :, :, rows.start - where.top:rows.stop - where.top, columns.start - where.left:columns.stop - where.left]
    return result, where
