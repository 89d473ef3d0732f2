"""The official cases, written anew: the same results, and valid where the originals are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .shared import Command, Findings, checker_fault

ROOT = Path(__file__).resolve().parents[2]
WRITER = ROOT.parent / "shared" / "tools" / "write_onnx_cases.py"


def cases(folder: Path) -> Path:
    """The cases of the installed onnx; those of tools/conformance where they are there."""
    made = ROOT / ".build" / "onnx-cases"
    if not (made / "index.json").exists():
        made = folder / "onnx-cases"
        if not made.exists():
            subprocess.run([sys.executable, WRITER, made], check=True, stdout=sys.stderr)
    return made


def check(command: Command, folder: Path, findings: Findings) -> None:
    source = cases(folder)
    models = sorted(source.rglob("model.onnx"))
    before = results(command, source)
    for kind, options in (("read and written", ["--passes", "none"]), ("optimised", [])):
        target = folder / "cases-written"
        shutil.rmtree(target, ignore_errors=True)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            refusals = dict(zip(models, pool.map(
                lambda model: rewrite(command, model, target / model.parent.relative_to(source), options), models)))
        refused = {model: text for model, text in refusals.items() if text}
        for model, text in refused.items():
            name = model.parent.name
            # What cannot be read cannot run either.
            # Derivatives name values in attributes: no pass runs.
            allowed = "Gradient" in text and kind == "optimised"
            findings.expect(before[name] is not None or allowed, f"{kind}: {name}: {text}")
        invalid = 0
        for model in models:
            if model in refused:
                continue
            written = target / model.parent.relative_to(source) / "model.onnx"
            fault = checker_fault(written)
            if fault and findings.expect(checker_fault(model) is not None, f"{kind}: {model.parent.name}: {fault}"):
                invalid += 1
        after = results(command, target)
        for name, reason in after.items():
            findings.expect(reason is None or before[name] is not None, f"{kind}: {name}: passed before, now {reason}")
        passed = sum(reason is None for reason in after.values())
        findings.notes.append(f"cases {kind}: {len(after)} of {len(models)}, {passed} pass "
                              f"({sum(reason is None for reason in before.values())} before), {len(refused)} refused, "
                              f"{invalid} are not valid, nor are their originals")
        print(f"  {findings.notes[-1]}", flush=True)


def rewrite(command: Command, model: Path, target: Path, options: list[str]) -> str | None:
    """Writes a case anew, its data as links; what the command says if it does not."""
    target.mkdir(parents=True)
    done = command.run("optimize", model, "-o", target / "model.onnx", *options)
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.strip()[:300]}"
    for part in model.parent.iterdir():
        if part.name != "model.onnx":
            (target / part.name).symlink_to(part)
    return None


def results(command: Command, folder: Path) -> dict[str, str | None]:
    """By case why it does not pass; `None` when it does."""
    done = subprocess.run([command.path, "test", folder, "--json", "-"], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"sardonyx test ended with {done.returncode}")
    return {result["name"]: "; ".join(f"{engine}: {why}" for engine, why in result["reasons"].items()) or None
            for result in json.loads(done.stdout)["results"]}
