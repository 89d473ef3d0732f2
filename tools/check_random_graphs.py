#!/usr/bin/env python3
"""Runs random ONNX graphs in Sardonyx (optimised, unoptimised, node by node) and in ONNX Runtime, optimisations off.

Every graph has 3 to 25 nodes, and where it has symbolic extents, two data sets. Graphs that ONNX Runtime does not run
are not counted. An output may differ by ten times what noise of a rounding's size changes in it; integers and booleans
must be equal. Each disagreement is shown as a graph made as small as still disagrees.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import pickle
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
from onnx import numpy_helper, printer

from random_graphs.comparison import MODES, Command, faults
from random_graphs.evaluation import Refused
from random_graphs.explained import explanation
from random_graphs.generate import FAMILIES, Case, generate
from random_graphs.minimise import Minimiser

CHUNK = 60
"""Seeds of one worker process; ONNX Runtime ends it by a signal on some graphs."""

EXAMPLES = """examples:
  tools/check-random-graphs --command .build/release/sardonyx
  tools/check-random-graphs --count 300 --mostly control
  tools/check-random-graphs --count 200 --seed 70000 --keep /tmp/disagreements
"""


@dataclass
class Disagreement:
    seed: int
    mode: str
    text: str
    graph: str = ""
    explanation: str | None = None


def in_process(work, *arguments) -> bool:
    """Runs `work` in a process of its own; false when a signal ended that."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode > 0:
        raise RuntimeError(f"{work.__name__} failed; see above")
    return process.exitcode == 0


def generate_some(seeds: list[int], mostly: str | None, folder: Path) -> None:
    for seed in seeds:
        case = generate(seed, mostly)
        partial = folder / f"{seed}.partial"
        partial.write_bytes(pickle.dumps(case))
        partial.rename(folder / f"{seed}.case")


def cases_of(seeds: list[int], mostly: str | None, folder: Path) -> list[Case]:
    """The graphs of these seeds; one whose making ends the process is left out."""
    left = seeds
    while left and not in_process(generate_some, left, mostly, folder):
        dead = next(seed for seed in left if not (folder / f"{seed}.case").exists())
        left = left[left.index(dead) + 1:]
    files = [path for seed in seeds if (path := folder / f"{seed}.case").exists()]
    return [case for path in files if (case := pickle.loads(path.read_bytes()))]


def write_case(case: Case, folder: Path) -> None:
    """In the layout of the ONNX backend tests."""
    folder.mkdir(parents=True)
    onnx.save(case.model, folder / "model.onnx")
    loosest = max((value for row in case.allowed for value in row.values()), default=0.0)
    (folder / "tolerance.json").write_text(json.dumps({"rtol": 0.0, "atol": loosest}))
    for index, (feeds, outputs) in enumerate(zip(case.feeds, case.outputs)):
        data = folder / f"test_data_set_{index}"
        data.mkdir()
        for side, infos, values in (("input", case.model.graph.input, feeds),
                                    ("output", case.model.graph.output, outputs)):
            given = [info.name for info in infos if info.name in values]
            for position, name in enumerate(given):
                tensor = numpy_helper.from_array(values[name], name)
                (data / f"{side}_{position}.pb").write_bytes(tensor.SerializeToString())


def minimise_to(command: str, folder: Path, case: Case, index: int, mode, output: str, result: Path) -> None:
    try:
        small = Minimiser(Command(command, folder), mode, case.model, case.feeds[index]).run(output)
    except Refused:
        small = None
    result.write_bytes(pickle.dumps(small))


class Checker:
    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options, self.folder = options, folder

    def chunk(self, seeds: list[int]) -> tuple[list[Case], list[Disagreement]]:
        folder = self.folder / str(seeds[0])
        folder.mkdir()
        cases = cases_of(seeds, self.options.mostly, folder)
        found = [item for case in cases if (item := self.check(case, folder))]
        wrong = {item.seed for item in found}
        return cases, found + [item for item in self.in_one_process(cases, folder) if item.seed not in wrong]

    def check(self, case: Case, folder: Path) -> Disagreement | None:
        command = Command(self.options.command, folder)
        for index, feeds in enumerate(case.feeds):
            for mode in MODES:
                wrong = faults(command.run(case.model, feeds, mode), case.outputs[index], case.allowed[index])
                if wrong:
                    output, text = next(iter(wrong.items()))
                    return self.minimised(case, index, mode, output, text, folder)
        return None

    def minimised(self, case: Case, index: int, mode, output: str, text: str, folder: Path) -> Disagreement:
        item = Disagreement(case.seed, f"{mode.name}, data set {index}", f"{output} {text}")
        result = folder / "small"
        model, feeds = case.model, case.feeds[index]
        if in_process(minimise_to, self.options.command, folder, case, index, mode, output, result):
            if small := pickle.loads(result.read_bytes()):
                model, feeds = small.model, small.feeds
                item.text = f"{model.graph.output[0].name} {small.text}"
                item.explanation = explanation(model.graph, small.values)
        item.graph = printer.to_text(model.graph)
        if self.options.keep:
            write_case(case, self.options.keep / str(case.seed) / "whole")
            onnx.save(model, self.options.keep / str(case.seed) / "small.onnx")
            (self.options.keep / str(case.seed) / "small.pickle").write_bytes(pickle.dumps(feeds))
        return item

    def in_one_process(self, cases: list[Case], folder: Path) -> list[Disagreement]:
        """Node by node, and optimised with all data sets in one session; a chunk that ends the command is halved."""
        if not cases:
            return []
        with tempfile.TemporaryDirectory(dir=folder) as name:
            for case in cases:
                write_case(case, Path(name) / str(case.seed))
            arguments = [self.options.command, "test", name, "--jobs", "1", "--threads", "2", "--json", "-"]
            done = subprocess.run(arguments, capture_output=True, text=True)
        if done.returncode in (0, 1):
            return [Disagreement(int(Path(row["name"]).name), f"sardonyx test, {engine}", reason)
                    for row in json.loads(done.stdout)["results"] for engine, reason in row["reasons"].items()]
        if len(cases) == 1:
            text = f"exit code {done.returncode}: {done.stderr.strip()[:400]}"
            return [Disagreement(cases[0].seed, "sardonyx test", text, printer.to_text(cases[0].model.graph))]
        half = len(cases) // 2
        return self.in_one_process(cases[:half], folder) + self.in_one_process(cases[half:], folder)


def show(item: Disagreement) -> None:
    print(f"\nseed {item.seed}, {item.mode}: {item.text}")
    if item.explanation:
        print(f"explained: {item.explanation}")
    print(item.graph, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help="the sardonyx command")
    parser.add_argument("--count", type=int, default=3000, help="graphs to run (default: 3000)")
    parser.add_argument("--seed", type=int, default=0, help="the first graph's seed (default: 0)")
    parser.add_argument("--mostly", choices=FAMILIES, help="take half of the nodes from this family of rules")
    parser.add_argument("--jobs", type=int, default=2, help="graphs at once (default: 2)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the graphs that disagree here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts and disagreements to this file")
    options = parser.parse_args()
    start, counted, nodes, found = time.monotonic(), 0, 0, []
    operators: set[str] = set()
    seed = options.seed
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.jobs) as pool:
        checker = Checker(options, Path(name))
        while counted < options.count:
            chunks = []
            while len(chunks) < options.jobs and counted + len(chunks) * CHUNK < options.count:
                size = min(CHUNK, options.count - counted - len(chunks) * CHUNK)
                chunks.append(list(range(seed, seed + size)))
                seed += size
            for cases, items in pool.map(checker.chunk, chunks):
                counted += len(cases)
                nodes += sum(len(case.model.graph.node) for case in cases)
                operators |= {node.op_type for case in cases for node in case.model.graph.node}
                found += items
                for item in items:
                    show(item)
            print(f"check-random-graphs: {counted} of {options.count}, {len(found)} disagree", file=sys.stderr)
    unknown = [item for item in found if not item.explanation]
    print(f"{counted} graphs of {nodes} nodes, {len(operators)} operators: {counted - len(found)} agree, "
          f"{len(found) - len(unknown)} explained, {len(unknown)} not; {time.monotonic() - start:.0f} s")
    if options.json:
        report = {"graphs": counted, "nodes": nodes, "operators": sorted(operators), "agree": counted - len(found),
                  "disagreements": [asdict(item) for item in found]}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
