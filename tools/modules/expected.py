"""What PyTorch's exporters cannot do, by form and exporter: with what message they fail, or what they export wrongly."""

from __future__ import annotations

CANNOT_EXPORT: dict[tuple[str, str], str] = {}
"""A part of the exporter's message."""

EXPORTED_WRONGLY: dict[tuple[str, str], str] = {
    ("index_add", "torchscript"): "rows that are added to the same place overwrite one another: a Scatter without reduction",
    ("index_put_accumulate", "torchscript"): "rows added to the same place overwrite one another",
    ("graph_layer", "torchscript"): "messages added to the same node overwrite one another",
    ("arange_of_size", "torchscript"): "integers are exported as float32",
    ("attention_lengths", "torchscript"): "the length of the sequence is written as a number",
    ("lstm_projection", "dynamo"): "ONNX's LSTM has no projection; the shapes of the states contradict one another",
}
"""ONNX Runtime computes the same as Sardonyx from the file, or refuses it: why it is not what PyTorch computes."""
