#!/usr/bin/env python3
"""Times every operator at a representative size in Sardonyx and in ONNX Runtime, interleaved, one form after the other.

A round gives each engine one turn of several runs, in turn forward and backward; the ratio is Sardonyx's median over
ONNX Runtime's, so that 2 means twice as slow. GB/s counts every input and output once.

Examples:
  tools/bench-operators
  tools/bench-operators --only Resize,GridSample --rounds 20
  tools/bench-operators --json operators.json --markdown operators.md
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import onnx

from operators.form import Form
from operators.forms import all_forms
from peers.machine import describe
from peers.report import number, table
from peers.resident import EngineFailure, Resident
from peers.rounds import play, warm_up

ENGINES = ("sardonyx", "onnxruntime")


@dataclass
class Row:
    """One form. Times in milliseconds."""

    operator: str
    note: str
    sardonyx_ms: float | None = None
    onnxruntime_ms: float | None = None
    ratio: float | None = None
    gigabytes_per_second: float | None = None
    failure: str = ""


def measure(form: Form, options: argparse.Namespace, folder: Path) -> Row:
    row = Row(f"{form.domain}.{form.operator}".lstrip("."), form.note)
    model, feeds = folder / "form.onnx", folder / "feeds.npz"
    onnx.save(form.model(), model)
    np.savez(feeds, **form.feeds())
    with ExitStack() as stack:
        playing: list[tuple[str, Resident]] = []
        for engine in ENGINES:
            try:
                resident = stack.enter_context(Resident(engine, model, feeds, None, options.threads, options.command))
                resident.load()
                resident.run()
                playing.append((engine, resident))
            except EngineFailure as fault:
                row.failure = "; ".join(filter(None, [row.failure, f"{engine}: {str(fault)[:160]}"]))
        residents = [resident for _, resident in playing]
        runs = list(warm_up(residents, 2, options.turn))
        turns = play(residents, runs, options.rounds)
        for (engine, _), taken in zip(playing, turns):
            setattr(row, f"{engine}_ms", median(turn.milliseconds for turn in taken))
        if "sardonyx" in dict(playing):
            row.gigabytes_per_second = _bytes(form, dict(playing)["sardonyx"], folder) / row.sardonyx_ms / 1e6
    if row.sardonyx_ms and row.onnxruntime_ms:
        row.ratio = row.sardonyx_ms / row.onnxruntime_ms
    return row


def _bytes(form: Form, resident: Resident, folder: Path) -> int:
    """Of all inputs and outputs."""
    path = folder / "outputs.npz"
    resident.write(path)
    with np.load(path) as file:
        outputs = sum(file[name].nbytes for name in file.files)
    return outputs + sum(value.nbytes for value in form.inputs if value is not None)


def markdown(rows: list[Row], limit: float) -> str:
    """The rows, slowest beside ONNX Runtime first."""
    ordered = sorted(rows, key=lambda row: -(row.ratio or 0))
    lines = [[row.operator, row.note, number(row.sardonyx_ms), number(row.onnxruntime_ms),
              number(row.ratio) + (" !" if (row.ratio or 0) > limit else ""), number(row.gigabytes_per_second)]
             for row in ordered]
    text = table(["operator", "form", "Sardonyx ms", "ONNX Runtime ms", "ratio", "GB/s"], lines, 2)
    failures = [f"- {row.operator} {row.note}: {row.failure}" for row in rows if row.failure]
    return "\n".join([text, *(["", "Not measured in both:", "", *failures] if failures else [])])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench-operators", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=lambda text: set(text.split(",")), help="names of operators, with commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turn", type=float, default=30, metavar="MS", help="length of a turn")
    parser.add_argument("--limit", type=float, default=3, help="ratios above it are marked (default: 3)")
    parser.add_argument("--json", type=Path, help="write machine, command and rows")
    parser.add_argument("--markdown", type=Path, help="write the table that goes to standard output")
    options = parser.parse_args()
    if min(options.rounds, options.threads) < 1:
        parser.error("--rounds and --threads are at least 1")
    return options


def main() -> None:
    options = arguments()
    forms = [form for form in all_forms() if not options.only or form.operator in options.only]
    if not forms:
        sys.exit(f"--only: got {', '.join(sorted(options.only))}, of which none is measured")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for index, form in enumerate(forms):
            if sys.stderr.isatty():
                print(f"\r\x1b[K{index + 1} of {len(forms)}: {form.label}", end="", file=sys.stderr, flush=True)
            rows.append(measure(form, options, Path(folder)))
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    text = markdown(rows, options.limit)
    if options.json:
        result = {"machine": asdict(describe(options.command, options.threads)), "command": shlex.join(["tools/bench-operators", *sys.argv[3:]]),
                  "rows": [{key: float(f"{value:.4g}") if isinstance(value, float) else value
                            for key, value in asdict(row).items()} for row in rows]}
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
