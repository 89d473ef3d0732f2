#!/usr/bin/env python3
"""Runs exported networks in PyTorch, ONNX Runtime and Sardonyx on the same inputs and compares every output.

A network passes when, for every output, max|a - b| <= 1e-4 max|b| against both references, and the run without graph
passes differs from the optimised one by at most 1e-5 max|b|. Exit code 1 when one does not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from export_models import export_entry, file_name
from model_zoo import MODELS, Entry
from onnx_export import EXPORTERS

AGAINST_REFERENCE = 1e-4
AGAINST_UNOPTIMISED = 1e-5
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
PHOTOS = SHARED / "data" / "photos"
NANODET = SHARED / "data" / "models" / "nanodet_m.onnx"
NANODET_MEAN, NANODET_STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)


@dataclass
class Row:
    network: str
    exporter: str
    input: str
    torch: float | None
    onnxruntime: float | None
    unoptimised: float | None
    seconds: float
    passed: bool
    fault: str = ""


def difference(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> float:
    """The greatest max|a - b| / max|b| over the outputs; infinite where shapes or finiteness differ."""
    worst = 0.0
    for name, expected in theirs.items():
        found = ours.get(name)
        if found is None or found.shape != expected.shape or not np.isfinite(found).all():
            return float("inf")
        if expected.size:
            scale = max(float(np.abs(expected).max()), 1e-30)
            worst = max(worst, float(np.abs(found.astype(np.float64) - expected).max()) / scale)
    return worst


class Sardonyx:
    """The command under test."""

    def __init__(self, command: str, folder: Path):
        self.command, self.folder = command, folder

    def run(self, model: Path, feeds: dict[str, np.ndarray], *options: str) -> dict[str, np.ndarray]:
        source, target = self.folder / "feeds.npz", self.folder / "outputs.npz"
        np.savez(source, **feeds)
        target.unlink(missing_ok=True)
        arguments = [self.command, "run", str(model), "--input", str(source), "--output", str(target), *options]
        done = subprocess.run(arguments, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()}")
        with np.load(target) as file:
            return {name: file[name] for name in file.files}


def reference(model: Path, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def compare(sardonyx: Sardonyx, network: str, exporter: str, label: str, model: Path,
            feeds: dict[str, np.ndarray], torch_outputs: dict[str, np.ndarray] | None) -> Row:
    start = time.monotonic()
    row = Row(network, exporter, label, None, None, None, 0.0, False)
    try:
        ours = sardonyx.run(model, feeds)
        row.onnxruntime = difference(ours, reference(model, feeds))
        if torch_outputs is not None:
            row.torch = difference(ours, torch_outputs)
        row.unoptimised = difference(sardonyx.run(model, feeds, "--disable-pass", "all"), ours)
        row.passed = (max(row.onnxruntime, row.torch or 0.0) <= AGAINST_REFERENCE
                      and row.unoptimised <= AGAINST_UNOPTIMISED)
    except RuntimeError as fault:
        row.fault = str(fault)
    row.seconds = round(time.monotonic() - start, 1)
    return row


def zoo_rows(sardonyx: Sardonyx, name: str, entry: Entry, exporter: str, folder: Path):
    path = folder / file_name(name, exporter)
    module = entry.build()
    export_entry(entry, path, exporter)
    for size in (entry.size, *entry.other_sizes):
        example = entry.example(size)
        with torch.no_grad():
            outputs = module(example)
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        expected = {key: value.numpy() for key, value in zip(entry.outputs, outputs)}
        label = "x".join(str(extent) for extent in example.shape)
        yield compare(sardonyx, name, exporter, label, path, {"image": example.numpy()}, expected)
    path.unlink()


def nanodet_rows(sardonyx: Sardonyx):
    import cv2

    name = onnxruntime.InferenceSession(str(NANODET), providers=["CPUExecutionProvider"]).get_inputs()[0].name
    for photo in sorted(PHOTOS.glob("*.jpg")):
        picture = cv2.resize(cv2.imread(str(photo)), (320, 320)).astype(np.float32)
        tensor = ((picture - NANODET_MEAN) / NANODET_STD).astype(np.float32).transpose(2, 0, 1)[None]
        yield compare(sardonyx, "nanodet_m", "published", photo.name, NANODET, {name: tensor}, None)


def show(row: Row) -> None:
    def figure(value: float | None) -> str:
        return "-" if value is None else f"{value:.1e}"

    verdict = "ok" if row.passed else "FAILED"
    print(f"{row.network:26} {row.exporter:12} {row.input:16} {figure(row.torch):>9} {figure(row.onnxruntime):>9} "
          f"{figure(row.unoptimised):>9}  {verdict} {row.fault}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help="the sardonyx command")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[*MODELS, "nanodet_m"])
    parser.add_argument("--exporter", choices=EXPORTERS, action="append", help="default: both")
    options = parser.parse_args()
    wanted = options.only or [*MODELS, "nanodet_m"]
    rows: list[Row] = []
    print(f"{'network':26} {'exporter':12} {'input':16} {'torch':>9} {'ort':>9} {'unopt':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sardonyx = Sardonyx(options.command, folder)
        for network in (network for network in MODELS if network in wanted):
            for exporter in options.exporter or EXPORTERS:
                for row in zoo_rows(sardonyx, network, MODELS[network], exporter, folder):
                    rows.append(row)
                    show(row)
        if "nanodet_m" in wanted:
            if not NANODET.exists():
                sys.exit(f"parity: {NANODET} is missing; the shared data must lie beside the repository")
            for row in nanodet_rows(sardonyx):
                rows.append(row)
                show(row)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    failed = sum(not row.passed for row in rows)
    print(f"parity: {len(rows) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
