"""Composed scenes of colour-emoji objects with exact instance masks: the demo model's training and test data."""

from .compose import Scene, compose
from .sprites import LABELS, SpriteSet

__all__ = ["LABELS", "Scene", "SpriteSet", "compose"]
