#!/usr/bin/env python3
"""Times Sardonyx, ONNX Runtime, OpenVINO and ncnn on the same models, interleaved, each in a resident process.

A round gives every engine one turn, in turn forward and backward through the list (ABBA). Before the next engine's turn
the harness waits until the last one's threads have stopped spinning. A round counts for an engine when neither its turn
nor the baseline's was disturbed: by other processes' CPU time, by time stolen from the virtual machine, or by more
involuntary context switches than that engine has by itself. Ratios are of medians over those rounds; their interval is
a bootstrap over pairs. The error is the greatest max|a - b| / max|b| over the outputs against float64: PyTorch for the
networks of the model zoo, ONNX's reference evaluator for nanodet_m and the demo model.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Iterator

from peers import chart, report
from peers.engines import ENGINES
from peers.machine import describe, multiply_accumulates
from peers.scenarios import SCENARIOS
from peers.standard import Row, Settings, as_json, measure
from peers.subjects import STANDARD, ConversionFailure, prepare

ALL = ("sardonyx", *ENGINES)


def names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench-peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--models", type=names, help=f"default: {','.join(STANDARD)}; others of tools/model_zoo.py")
    parser.add_argument("--scenario", choices=("standard", *SCENARIOS), default="standard",
                        help=" ".join(f"{name} - {run.__doc__}" for name, (run, _) in SCENARIOS.items()))
    parser.add_argument("--engines", type=names, default=ALL, help=f"default: {','.join(ALL)}; the first is what "
                        "ratios refer to")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--warm-up", type=int, default=5, help="runs of each engine before the rounds")
    parser.add_argument("--loads", type=int, default=3, help="fresh processes for load and first run")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turn", type=float, default=60, metavar="MS", help="length of a turn: several runs in a row "
                        "where one is shorter; the first of several is not counted")
    parser.add_argument("--cache", type=Path, default=Path(".build/bench"), help="exports, inputs, references")
    parser.add_argument("--json", type=Path, help="write machine, command and rows")
    parser.add_argument("--markdown", type=Path, help="write the table that goes to standard output")
    parser.add_argument("--svg", type=Path, help="write the bar chart")
    options = parser.parse_args()
    unknown = [name for name in options.engines if name not in ALL]
    if unknown or not options.engines:
        parser.error(f"--engines: got {unknown}, a choice of {', '.join(ALL)}")
    if options.svg and options.scenario != "standard":
        parser.error("--svg draws the standard scenario only")
    if min(options.rounds, options.warm_up, options.loads, options.threads) < 1:
        parser.error("--rounds, --warm-up, --loads and --threads are at least 1")
    return options


def standard(models: tuple[str, ...], settings: Settings, cache: Path) -> Iterator[Row]:
    """Every engine on every model."""
    for name in models:
        subject = prepare(name, cache)
        yield from measure(subject, settings, multiply_accumulates(settings.command, subject.model))


def write(result: dict, options: argparse.Namespace) -> str:
    """Writes the files that were asked for; the answer is the Markdown table."""
    text = report.standard(result) if options.scenario == "standard" else report.scenario(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text + "\n")
    if options.svg:
        options.svg.write_text(chart.svg(result))
    return text


def main() -> None:
    options = arguments()
    machine = describe(options.command, options.threads)
    settings = Settings(options.command, options.engines, options.threads, options.rounds, options.warm_up,
                        options.loads, options.turn, machine.cpus, machine.fma_gmacs)
    run, models = (standard, STANDARD) if options.scenario == "standard" else SCENARIOS[options.scenario]
    given = [word for word in sys.argv[1:] if word not in ("--command", options.command)]
    result = {"scenario": options.scenario, "command": shlex.join(["tools/bench-peers", *given]),
              "machine": asdict(machine), "rows": []}
    text = ""
    try:
        for row in run(options.models or models, settings, options.cache):
            result["rows"] += as_json([row])
            text = write(result, options)  # at every row: a long measurement that is ended leaves what it has
    except ConversionFailure as fault:
        sys.exit(f"bench-peers: {fault}")
    print(text)


if __name__ == "__main__":
    main()
