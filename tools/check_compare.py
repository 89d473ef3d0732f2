#!/usr/bin/env python3
"""Plants a fault in one node of each of 20 graphs and asks `sardonyx compare` where the differences begin.

Each graph is intact once and faulty once; the reference is ONNX Runtime's run of the intact one with every value
recorded, and the intact model itself, node by node and planned. Told must be exactly the node that was changed. The
intact graphs must agree with both references (exit code 0), the faulty ones must not (1). Then: tolerances, NaN and
infinities, two faults at once with --reset.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, numpy_helper

from onnx_export import EXPORTERS, export
from planted.faults import Fault, copy, faults, named, shows
from planted.graphs import GRAPHS, Residual, seeded
from record_run import record_onnx, record_torch, storable

SECONDS = 120

EXAMPLES = """examples:
  tools/check-compare --command .build/release/sardonyx
  tools/check-compare --only residual retinanet --keep /tmp/planted
"""


@dataclass
class Row:
    graph: str
    nodes: int
    fault: str = ""
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Compare:
    """`sardonyx compare --json`."""

    def __init__(self, command: str):
        self.command = command

    def __call__(self, *arguments: object) -> tuple[int, dict | str]:
        line = [self.command, "compare", *map(str, arguments), "--json", "--threads", "1", "--timeout", SECONDS]
        done = subprocess.run(list(map(str, line)), capture_output=True, text=True, timeout=2 * SECONDS)
        if done.returncode not in (0, 1):
            return done.returncode, done.stderr.strip()[:400]
        return done.returncode, json.loads(done.stdout)


def label(found: dict | None) -> str:
    return "nothing" if found is None else f"{found['operatorName']} '{found['node']}'"


class Checker:
    def __init__(self, command: str, folder: Path):
        self.compare, self.folder = Compare(command), folder

    def graph(self, name: str) -> Row:
        start = time.monotonic()
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        model, feeds = GRAPHS[name](folder)
        model = named(model)
        row = Row(name, len(model.graph.node))
        intact = record_onnx(model, feeds)
        fault = self.shown(model, feeds, intact, list(GRAPHS).index(name))
        if fault is None:
            row.failures.append("no fault shows in it")
            return row
        row.fault = f"{fault.text} in '{fault.node}'"
        onnx.save(model, folder / "intact.onnx")
        onnx.save(fault.model, folder / "faulty.onnx")
        np.savez(folder / "intact.npz", **storable(intact))
        np.savez(folder / "feeds.npz", **storable(feeds))
        row.failures = [text for text in self.checks(folder, fault.node) if text]
        row.seconds = time.monotonic() - start
        return row

    def shown(self, model: ModelProto, feeds: dict, intact: dict, seed: int) -> Fault | None:
        """The first fault that ONNX Runtime runs and that shows at its node and at an output.

        What no output depends on, the planned graph does not compute.
        """
        outputs = [value.name for value in model.graph.output]
        for fault in faults(model, seed):
            node = next(node for node in fault.model.graph.node if node.name == fault.node)
            try:
                planted = record_onnx(fault.model, feeds)
            except Exception:  # ONNX Runtime's errors have no common class; another fault will do
                continue
            if shows(intact, planted, node.output) and any(shows(intact, planted, [name]) for name in outputs):
                return fault
        return None

    def checks(self, folder: Path, node: str):
        intact, faulty, recorded = (folder / name for name in ("intact.onnx", "faulty.onnx", "intact.npz"))
        feeds = ("--input", folder / "feeds.npz")
        for text, arguments in (
                ("recorded, node by node", (intact, recorded, "--optimize", "off")),
                ("recorded, planned", (intact, recorded)), ("itself", (intact, intact, *feeds)),
                ("--against optimize=off", (intact, "--against", "optimize=off", *feeds)),
                ("--against isa=scalar --reset", (intact, "--against", "isa=scalar", "--reset", *feeds))):
            code, found = self.compare(*arguments)
            if code:
                begin = found if isinstance(found, str) else label(found["comparison"].get("firstDivergence"))
                yield f"intact beside {text}: exit code {code}, {begin}"
        for text, arguments in (("recorded", (faulty, recorded)), ("the intact model", (faulty, intact, *feeds))):
            for mode in ("off", "on"):
                yield self.names(node, f"{text}, optimize {mode}", (*arguments, "--optimize", mode))

    def names(self, node: str, text: str, arguments: tuple) -> str | None:
        code, found = self.compare(*arguments, "--first-divergence")
        if isinstance(found, str):
            return f"{text}: exit code {code}, {found}"
        plain = found.get("node_by_node", found["comparison"])
        begin = plain.get("firstDivergence")
        if code != 1 or begin is None or begin["node"] != node:
            return f"{text}: exit code {code}, names {label(begin)}"
        return None

    # Beside the graphs

    def others(self):
        folder = self.folder / "residual"
        folder.mkdir(parents=True, exist_ok=True)
        model, feeds = GRAPHS["residual"](folder)
        model = named(model)
        np.savez(folder / "feeds.npz", **feeds)
        onnx.save(model, folder / "intact.onnx")
        checks = {"tolerance": self.tolerance, "not finite": self.not_finite, "reset": self.reset,
                  "folder": self.saved_tensors, "torch": self.torch}
        for name, check in checks.items():
            start = time.monotonic()
            row = Row(name, len(model.graph.node))
            row.fault, row.failures = check(copy(model), folder)
            row.seconds = time.monotonic() - start
            yield row

    def tolerance(self, model: ModelProto, folder: Path) -> tuple[str, list[str]]:
        """A weight changed by 1e-6 of itself is within the default tolerance and beyond smaller ones."""
        weight = next(value for value in model.graph.initializer if len(value.dims) == 4)
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32(1 + 1e-6), weight.name))
        onnx.save(model, folder / "near.onnx")
        failures = []
        for more, expected in (((), 0), (("--rtol", "1e-9", "--atol", "1e-9"), 1), (("--rtol", "0", "--atol", "1"), 0),
                               (("--rtol", "0", "--atol", "0"), 1)):
            code, _ = self.compare(folder / "near.onnx", folder / "intact.onnx", "--input", folder / "feeds.npz", *more)
            if code != expected:
                failures.append(f"{' '.join(more) or 'default'}: exit code {code}, expected {expected}")
        return "a weight changed by 1e-6 of itself", failures

    def not_finite(self, model: ModelProto, folder: Path) -> tuple[str, list[str]]:
        """Relu became Log: of 0 an infinity, of what is below a NaN."""
        node = [node for node in model.graph.node if node.op_type == "Relu"][1]
        node.op_type = "Log"
        onnx.save(model, folder / "log.onnx")
        failures = []
        for mode in ("off", "on"):
            code, found = self.compare(
                folder / "log.onnx", "--nan", "--optimize", mode, "--input", folder / "feeds.npz")
            origin = found["origins"][0] if isinstance(found, dict) and found["origins"] else None
            if code != 1 or origin is None or node.name not in (origin["node"], *origin["origins"]):
                failures.append(f"optimize {mode}: exit code {code}, names {label(origin) if origin else found}")
        code, found = self.compare(folder / "intact.onnx", "--nan", "--input", folder / "feeds.npz")
        if code != 0:
            failures.append(f"intact: exit code {code}")
        return f"Relu became Log in '{node.name}'", failures

    def reset(self, model: ModelProto, folder: Path) -> tuple[str, list[str]]:
        """Two faults, one behind the other: with --reset both nodes and no other are beyond tolerance."""
        nodes = [node for node in model.graph.node if node.op_type == "Relu"]
        wanted = {nodes[0].name, nodes[-1].name}
        nodes[0].op_type = nodes[-1].op_type = "Sigmoid"
        onnx.save(model, folder / "two.onnx")
        arguments = (folder / "two.onnx", folder / "intact.onnx", "--input", folder / "feeds.npz", "--optimize", "off")
        _, found = self.compare(*arguments, "--reset")
        beyond = {row["node"] for row in found["comparison"]["rows"] if row["error"]["excess"] == "Infinity"
                  or float(row["error"]["excess"]) > 1}
        failures = [] if beyond == wanted else [f"--reset: beyond are {sorted(beyond)}, expected {sorted(wanted)}"]
        _, found = self.compare(*arguments)
        if found["comparison"]["firstDivergence"]["node"] != nodes[0].name:
            failures.append(f"without: names {label(found['comparison']['firstDivergence'])}")
        return f"Relu became Sigmoid in {sorted(wanted)}", failures


    def saved_tensors(self, model: ModelProto, folder: Path) -> tuple[str, list[str]]:
        """A folder of the ONNX backend tests and a .npy file; with an element changed neither agrees."""
        feeds = dict(np.load(folder / "feeds.npz"))
        [output] = [value.name for value in model.graph.output]
        result = record_onnx(model, feeds)[output]
        failures = []
        for expected, array in ((0, result), (1, result + np.eye(*result.shape, dtype=np.float32))):
            data = folder / f"test_data_set_{expected}"
            data.mkdir(exist_ok=True)
            [(name, image)] = feeds.items()
            for file, tensor in (("input_0", numpy_helper.from_array(image, name)),
                                 ("output_0", numpy_helper.from_array(array, output))):
                (data / f"{file}.pb").write_bytes(tensor.SerializeToString())
            np.save(folder / "result.npy", array)
            for arguments in ((data,), (folder / "result.npy", "--input", folder / "feeds.npz")):
                code, _ = self.compare(folder / "intact.onnx", *arguments)
                if code != expected:
                    failures.append(f"{arguments[0].name}: exit code {code}, expected {expected}")
        return "saved outputs", failures

    def torch(self, _: ModelProto, folder: Path) -> tuple[str, list[str]]:
        """What PyTorch's modules compute, by the names that both exporters give; batch normalisation is folded."""
        failures = []
        for exporter in EXPORTERS:
            module, example = seeded(Residual(), (1, 3, 48, 48), 9)
            export(module, example, folder / "torch.onnx", exporter=exporter, outputs=["result"])
            values = record_torch(module, (example,), onnx.load(folder / "torch.onnx"))
            np.savez(folder / "torch.npz", **values)
            code, found = self.compare(folder / "torch.onnx", folder / "torch.npz", "--optimize", "off")
            count = 0 if isinstance(found, str) else len(found["comparison"]["rows"])
            if code != 0 or count < 8:
                failures.append(f"{exporter}: exit code {code}, {count} values, expected 8 and more")
        return "modules of PyTorch", failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True)
    parser.add_argument("--only", nargs="+", choices=list(GRAPHS), help="these graphs, without the other checks")
    parser.add_argument("--keep", type=Path, help="folder for models and recordings")
    parser.add_argument("--json", type=Path, help="write results to a file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        checker = Checker(options.command, options.keep or Path(temporary))
        rows = []
        for name in options.only or GRAPHS:
            rows.append(checker.graph(name))
            show(rows[-1])
        if not options.only:
            for row in checker.others():
                rows.append(row)
                show(row)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    failed = sum(bool(row.failures) for row in rows)
    print(f"{len(rows) - failed} of {len(rows)} passed in {sum(row.seconds for row in rows):.0f} s")
    sys.exit(failed > 0)


def show(row: Row) -> None:
    print(f"{'FAILED' if row.failures else 'ok':6} {row.graph:12} {row.nodes:5} nodes  {row.seconds:5.1f} s  {row.fault}",
          flush=True)
    for text in row.failures:
        print(f"         {text}", flush=True)


if __name__ == "__main__":
    main()
