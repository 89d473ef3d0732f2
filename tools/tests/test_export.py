"""Both exporters against PyTorch, through ONNX Runtime."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional as F

from onnx_export import EXPORTERS, export
from yolact.cards import METADATA_KEY, ROLES, card_metadata, demo_card
from yolact.config import DEMO
from yolact.model import ExportGraph
from yolact.weights import random_network


def picture(*shape: int) -> torch.Tensor:
    coarse = torch.randn(shape[0], 3, shape[1] // 8, shape[2] // 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, size=shape[1:], mode="bicubic", align_corners=False)


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("symbolic", [False, True])
def test_the_graph_computes_what_the_network_computes(exporter, symbolic, tmp_path):
    graph = ExportGraph(random_network(DEMO, 3), dynamic_size=symbolic).eval()
    card = demo_card(DEMO, ["thing"] * 20, {})
    dynamic = {0: "batch"} | ({2: "height", 3: "width"} if symbolic else {})
    export(graph, torch.zeros(2, 3, 256, 256), tmp_path / "a.onnx", exporter=exporter, outputs=list(ROLES),
           dynamic=dynamic, metadata=card_metadata(card))
    model = onnx.load(tmp_path / "a.onnx")
    assert {entry.key: json.loads(entry.value) for entry in model.metadata_props if entry.key == METADATA_KEY}
    named = [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert named == (["batch", "", "height", "width"] if symbolic else ["batch", "", "", ""])
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    for shape in [(1, 256, 256), (3, 256, 256)] + ([(2, 200, 331)] if symbolic else []):
        image = picture(*shape)
        with torch.no_grad():
            wanted = graph(image)
        for role, output, want, value in zip(ROLES, session.run(None, {"image": image.numpy()}), wanted,
                                             model.graph.output):
            assert value.name == role
            declared = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            assert all(size in (0, actual) for size, actual in zip(declared, output.shape))
            np.testing.assert_allclose(output, want.numpy(), atol=1e-4 * float(want.abs().max()), rtol=0)
