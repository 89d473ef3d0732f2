"""The official cases, written anew: the same results, and valid where the originals are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
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
            findings.expect(before.get(name, "passed") != "passed", f"{kind}: {name}: {text}")
        invalid = Counter()
        for model in models:
            if model in refused:
                continue
            written = target / model.parent.relative_to(source) / "model.onnx"
            fault = checker_fault(written)
            if fault:
                invalid["the original, too"] += 1
                original = checker_fault(model)
                if original is None:
                    findings.expect(False, f"{kind}: {model.parent.name}: onnx.checker: {fault}")
        after = results(command, target)
        for name, outcome in after.items():
            findings.expect(outcome == before[name] or kind == "optimised" and before[name] != "passed",
                            f"{kind}: {name}: {before[name]} before, {outcome} after")
        findings.notes.append(f"cases {kind}: {len(after)} of {len(models)}, {len(refused)} refused, "
                              f"not valid: {dict(invalid)}")
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


def results(command: Command, folder: Path) -> dict[str, str]:
    """By case: passed, or why not, without what depends on the folder."""
    done = subprocess.run([command.path, "test", folder, "--json", "-"], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"sardonyx test ended with {done.returncode}")
    found = {}
    for result in json.loads(done.stdout)["results"]:
        reasons = result["reasons"]
        found[result["name"]] = "passed" if not reasons else ", ".join(sorted(reasons))
    return found
