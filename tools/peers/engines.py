"""The peers behind one interface; each class imports its engine where it is made, so that a process has only one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


class OnnxRuntime:
    """ONNX Runtime's CPU provider with default optimisation."""

    precision = "f32"

    def __init__(self, threads: int):
        import onnxruntime

        self.version, self.runtime = onnxruntime.__version__, onnxruntime
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads, self.options.log_severity_level = threads, 3

    def load(self, model: Path, image: np.ndarray | dict[str, np.ndarray]) -> None:
        """`image` may be all inputs by name."""
        self.session = self.runtime.InferenceSession(str(model), self.options, providers=["CPUExecutionProvider"])
        self.feeds = image if isinstance(image, dict) else {self.session.get_inputs()[0].name: image}
        self.names = [output.name for output in self.session.get_outputs()]

    def run(self) -> dict[str, np.ndarray]:
        return dict(zip(self.names, self.session.run(None, self.feeds)))


class OpenVINO:
    """OpenVINO's CPU plugin for one request at a time; inputs and outputs are shared, not copied.

    `precision` None leaves the plugin's default, which is bfloat16 where the CPU has it.
    """

    def __init__(self, threads: int, precision: str | None):
        import openvino

        self.version, self.core = openvino.__version__.split("-")[0], openvino.Core()
        self.properties = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        if precision:
            self.properties["INFERENCE_PRECISION_HINT"] = precision

    def load(self, model: Path, image: np.ndarray) -> None:
        compiled = self.core.compile_model(self.core.read_model(model), "CPU", self.properties)
        self.precision = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.request, self.image = compiled.create_infer_request(), image
        self.names = [output.any_name for output in compiled.outputs]

    def run(self) -> dict[str, np.ndarray]:
        results = self.request.infer({0: self.image}, share_inputs=True, share_outputs=True)
        return dict(zip(self.names, results.values()))


class Ncnn:
    """ncnn in float32 throughout, on a model that pnnx made; the images of a batch go one after the other."""

    precision = "f32"

    def __init__(self, threads: int):
        import ncnn

        self.version, self.ncnn = ncnn.__version__, ncnn
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads, options.use_vulkan_compute, options.use_bf16_storage = threads, False, False
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False

    def load(self, model: Path, image: np.ndarray) -> None:
        self.outputs: dict[str, str] = json.loads(model.with_suffix(".outputs.json").read_text())
        if self.net.load_param(str(model.with_suffix(".param"))) or self.net.load_model(str(model.with_suffix(".bin"))):
            raise RuntimeError("ncnn could not load the converted model")
        self.images = [self.ncnn.Mat(each) for each in image]
        self.kept = image

    def run(self) -> dict[str, np.ndarray]:
        found: list[dict[str, np.ndarray]] = []
        for image in self.images:
            extractor = self.net.create_extractor()
            extractor.input("in0", image)
            found.append({name: np.asarray(extractor.extract(blob)[1]) for name, blob in self.outputs.items()})
        return {name: np.stack([each[name] for each in found]) for name in found[0]} if len(found) > 1 else found[0]


ENGINES = {
    "onnxruntime": OnnxRuntime,
    "openvino-f32": lambda threads: OpenVINO(threads, "f32"),
    "openvino": lambda threads: OpenVINO(threads, None),
    "ncnn": Ncnn,
}
