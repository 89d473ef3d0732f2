"""Sardonyx's command on a model, and how far its outputs are from the reference's."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto

SECONDS = 60


@dataclass(frozen=True)
class Mode:
    """A way to run a model: its name and the options of `sardonyx run`."""

    name: str
    options: tuple[str, ...]


MODES = (Mode("optimised", ()), Mode("unoptimised", ("--disable-pass", "all")))


class Command:
    """`sardonyx run`; `folder` is for its files."""

    def __init__(self, path: str, folder: Path):
        self.path, self.folder = path, folder

    def run(self, model: ModelProto, feeds: dict[str, np.ndarray], mode: Mode) -> dict[str, np.ndarray] | str:
        """The outputs, or what went wrong."""
        source, target, graph = (self.folder / name for name in ("feeds.npz", "outputs.npz", "model.onnx"))
        np.savez(source, **feeds)
        onnx.save(model, graph)
        target.unlink(missing_ok=True)
        arguments = [self.path, "run", graph, "--output", target, "--threads", "1", *mode.options]
        arguments += ["--input", source] if feeds else []
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"runs longer than {SECONDS} s"
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            return f"exit code {done.returncode}: {' '.join(lines)[:400]}"
        with np.load(target) as file:
            return {name: file[name] for name in file.files}


def fault(found: np.ndarray | None, expected: np.ndarray, allowed: float) -> str | None:
    """What is wrong with an output; `allowed` is the greatest absolute difference."""
    if found is None:
        return "is missing"
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"is {found.dtype}{list(found.shape)}, expected {expected.dtype}{list(expected.shape)}"
    if allowed == 0:
        wrong = int((found != expected).sum())
        return f"differs in {wrong} of {expected.size} elements" if wrong else None
    if not np.isfinite(found).all():
        return "is not finite"
    worst = float(np.abs(found.astype(np.float64) - expected).max()) if found.size else 0.0
    return f"differs by {worst:.3g}, allowed {allowed:.3g}" if worst > allowed else None


def faults(found: dict[str, np.ndarray] | str, expected: dict[str, np.ndarray],
           allowed: dict[str, float]) -> dict[str, str]:
    """By output, what is wrong; a run that failed is the fault of all outputs."""
    if isinstance(found, str):
        return {name: found for name in expected}
    result = {name: fault(found.get(name), value, allowed[name]) for name, value in expected.items()}
    return {name: text for name, text in result.items() if text}
