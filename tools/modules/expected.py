"""What PyTorch's exporters cannot do, by form and exporter: with what message they fail, or what they export wrongly."""

from __future__ import annotations

CANNOT_EXPORT: dict[tuple[str, str], str] = {}
"""A part of the exporter's message."""

EXPORTED_WRONGLY: dict[tuple[str, str], str] = {}
"""ONNX Runtime computes the same as Sardonyx from the file, or refuses it: why it is not what PyTorch computes."""
