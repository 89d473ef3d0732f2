"""What the parts share: the command, files, and outputs of ONNX Runtime."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-4
"""Of the greatest magnitude of an output, as in tools/parity: rounding of float32 networks in another order."""


@dataclass
class Findings:
    """What was checked, and what was not as it must be."""

    checked: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, holds: bool, what: str) -> bool:
        self.checked += 1
        if not holds:
            self.faults.append(what)
            print(f"  FAULT {what}", flush=True)
        return holds


class Command:
    def __init__(self, path: str):
        self.path = path

    def run(self, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)

    def json(self, *arguments: object) -> dict:
        done = self.run(*arguments, "--json")
        if done.returncode != 0:
            what = " ".join(map(str, arguments))
            raise RuntimeError(f"{what}: exit code {done.returncode}: {done.stderr.strip()[:400]}")
        return json.loads(done.stdout)


def session(model: Path | onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def random_inputs(opened: onnxruntime.InferenceSession, seed: int = 0) -> dict[str, np.ndarray]:
    """Numbers in [0, 1); open extents are 1."""
    generator = np.random.default_rng(seed)
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(bool)": bool}
    feeds = {}
    for value in opened.get_inputs():
        shape = [extent if isinstance(extent, int) else 1 for extent in value.shape]
        feeds[value.name] = generator.random(shape).astype(types[value.type])
    return feeds


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """max|a - b| / max|b|; infinite where shapes or places of NaN differ."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return float("inf")
    if expected.size == 0:
        return 0.0
    if not np.issubdtype(expected.dtype, np.number):
        return 0.0 if np.array_equal(found, expected) else float("inf")
    a, b = found.astype(np.float64), expected.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)) if b.size else 0.0


def checker_fault(path: Path, full: bool = True) -> str | None:
    """What onnx.checker finds, with strict shape inference where `full`."""
    try:
        onnx.checker.check_model(str(path), full_check=full)
        return None
    except Exception as fault:
        return " ".join(str(fault).split())[:300]
