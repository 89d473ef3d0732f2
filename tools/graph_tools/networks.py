"""Networks: optimised and cut, they compute in ONNX Runtime what the original does."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import torch

from .shared import TOLERANCE, Command, Findings, checker_fault, difference, random_inputs, session

NANODET = Path(__file__).resolve().parents[3] / "shared" / "data" / "models" / "nanodet_m.onnx"
YOLACT_SIZE = (160, 192)
"""Smaller than the configurations', so that the whole check takes minutes: the graphs are the same."""


def yolact(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from model_zoo import MODELS
        from onnx_export import export

        entry = MODELS[name]
        export(entry.build(), entry.example(YOLACT_SIZE), path, exporter="torchscript", outputs=list(entry.outputs),
               metadata=entry.metadata)
    return write


def dynamo(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from export_models import export_entry
        from model_zoo import MODELS

        export_entry(MODELS[name], path, "dynamo")
    return write


def vision_transformer(path: Path) -> None:
    from onnx_export import export
    from torchvision_cpu import models

    torch.manual_seed(1)
    network = models.vit_b_16(weights=None)
    torch.nn.init.normal_(network.heads.head.weight, std=0.05)
    export(network, torch.randn(1, 3, 224, 224), path, exporter="torchscript", outputs=["logits"])


def detector(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from detectors.forms import FORMS

        FORMS[name].write(path)
    return write


def networks() -> dict[str, Callable[[Path], None] | None]:
    """By name, how to write it; `None` for the file that is there."""
    from model_zoo import PAPER

    return {**{name: yolact(name) for name in PAPER}, "nanodet_m": None, "retinanet_whole": detector("retinanet_whole"),
            "vit_b_16": vision_transformer, "mobilenet_v3_small_dynamo": dynamo("mobilenet_v3_small")}


def check(command: Command, folder: Path, findings: Findings, names: list[str]) -> None:
    for name, write in networks().items():
        if names and name not in names:
            continue
        path = NANODET if write is None else folder / f"{name}.onnx"
        if write and not path.exists():
            write(path)
        Network(command, path, folder / name, findings).check()


class Network:
    def __init__(self, command: Command, path: Path, folder: Path, findings: Findings):
        self.command, self.path, self.folder, self.findings = command, path, folder, findings
        self.name = folder.name
        folder.mkdir(exist_ok=True)
        self.model = onnx.load(path)
        opened = session(path)
        self.feeds = random_inputs(opened)
        self.outputs = dict(zip([value.name for value in opened.get_outputs()], opened.run(None, self.feeds)))

    def expect(self, holds: bool, what: str) -> bool:
        return self.findings.expect(holds, f"{self.name}: {what}")

    def check(self) -> None:
        print(f"{self.name}: {len(self.model.graph.node)} nodes", flush=True)
        for options in ([], ["--passes", "none"], ["--external-data"]):
            self.optimize(options)
        for tensor in self.middle_tensors():
            self.cut(tensor)
        for node in self.model.graph.node:
            if node.op_type in ("If", "Loop", "Scan") and node.name:
                self.one_node(node)

    def optimize(self, options: list[str]) -> None:
        target = self.folder / f"optimized{len(options)}{'-'.join(options).strip('-')}.onnx"
        report = self.command.json("optimize", self.path, "-o", target, *options)
        self.valid(target, "optimize " + " ".join(options))
        self.same(target, self.feeds, self.outputs, "optimize " + " ".join(options))
        before, after = report["before"], report["after"]
        if "none" in options:
            self.expect(before == after, "--passes none changes the graph")
        else:
            self.expect(after["nodes"] <= before["nodes"], "more nodes than before")
        if not options:
            sizes = f"file {self.path.stat().st_size} -> {target.stat().st_size}"
            print(f"  optimised: {before['nodes']} -> {after['nodes']} nodes, constants {before['constantBytes']} -> "
                  f"{after['constantBytes']} bytes, {sizes}", flush=True)
        target.with_name(target.name + ".data").unlink(missing_ok=True)
        target.unlink()

    def valid(self, target: Path, what: str) -> None:
        """The written model passes the checker; strictly, where the original does."""
        fault = checker_fault(target)
        if fault and checker_fault(self.path) is None or checker_fault(target, full=False):
            self.expect(False, f"{what}: onnx.checker: {fault}")
        else:
            self.expect(True, what)

    def same(self, target: Path, feeds: dict, expected: dict, what: str) -> None:
        opened = session(target)
        names = [value.name for value in opened.get_outputs()]
        given = {value.name: feeds[value.name] for value in opened.get_inputs()}
        for name, found in zip(names, opened.run(None, given)):
            worst = difference(found, expected[name])
            self.expect(worst <= TOLERANCE, f"{what}: output {name} differs by {worst:.2e}")

    def middle_tensors(self) -> list[str]:
        """Outputs of nodes at a quarter, the middle, and three quarters of the graph."""
        made = [node.output[0] for node in self.model.graph.node if node.op_type not in ("Constant", "If", "Loop")]
        return [made[len(made) * k // 4] for k in (1, 2, 3)]

    def values(self, declared: onnx.ValueInfoProto) -> np.ndarray:
        """What a tensor is in ONNX Runtime's run of the original."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        model.graph.output.append(declared)
        return session(model).run([declared.name], self.feeds)[0]

    def cut(self, tensor: str) -> None:
        head, tail = self.folder / "head.onnx", self.folder / "tail.onnx"
        self.command.json("extract", self.path, "--to", tensor, "-o", head)
        self.valid(head, f"extract --to {tensor}")
        declared = onnx.load(head).graph.output[0]
        value = self.values(declared)
        self.same(head, self.feeds, {tensor: value}, f"extract --to {tensor}")
        ends = [part for name in self.outputs for part in ("--to", name)]
        inputs = [value.name for value in self.model.graph.input
                  if value.name not in {weight.name for weight in self.model.graph.initializer}]
        done = self.command.run("extract", self.path, "--from", tensor, *ends, "-o", tail)
        starts = [tensor]
        if done.returncode == 2:
            self.expect("still needed" in done.stderr and any(f"'{name}'" in done.stderr for name in inputs),
                        f"extract --from {tensor}: {done.stderr.strip()}")
            starts += inputs
            self.command.json("extract", self.path, *[part for name in starts for part in ("--from", name)], *ends,
                              "-o", tail)
        self.valid(tail, f"extract --from {tensor}")
        self.same(tail, self.feeds | {tensor: value}, self.outputs, f"extract --from {tensor}")
        self.findings.notes.append(f"{self.name}: cut at {tensor}{'' if len(starts) == 1 else ' and the inputs'}")

    def one_node(self, node: onnx.NodeProto) -> None:
        target = self.folder / "node.onnx"
        done = self.command.run("extract", self.path, "--node", node.name, "-o", target)
        if not self.expect(done.returncode == 0, f"extract --node {node.name}: {done.stderr.strip()[:300]}"):
            return
        self.valid(target, f"extract --node {node.name}")
        part = onnx.load(target)
        self.expect([item.op_type for item in part.graph.node] == [node.op_type], f"{node.name} alone")
        feeds = {value.name: self.values(value) for value in part.graph.input if value.name not in self.feeds}
        expected = {value.name: self.values(value) for value in part.graph.output}
        self.same(target, self.feeds | feeds, expected, f"extract --node {node.name}")
