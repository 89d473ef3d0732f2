#!/usr/bin/env python3
"""Exports PyTorch modules with the TorchScript and the dynamo exporter and compares Sardonyx with PyTorch.

Float outputs may differ by 1e-4 of the output's largest element (float32 sums of some hundred products round to 1e-6 of
it; functions and recurrences multiply that), others must be equal. Where a module's axes are exported as symbolic, it
runs with two sizes. What an exporter cannot export is listed with its message and counts as neither passed nor failed.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from modules import control, layers, networks, sequences, tensors, vision
from modules.expected import CANNOT_EXPORT, EXPORTED_WRONGLY
from modules.form import Form, Function
from onnx_export import DEFAULT_OPSETS, EXPORTERS
from random_graphs.comparison import MODES, Command, faults
from random_graphs.evaluation import Reference, Refused

LIMIT = 1e-4
FORMS = {form.name: form for part in (layers, tensors, sequences, vision, control, networks) for form in part.forms()}
EXAMPLES = """examples:
  tools/check-modules --command .build/release/sardonyx
  tools/check-modules --only lstm grid_sample_bicubic_zeros --exporter dynamo --keep /tmp/modules
"""


@dataclass
class Row:
    form: str
    exporter: str
    state: str
    """passed, failed, not exported, or exported wrongly."""
    detail: str = ""
    surprise: bool = False
    """Whether this is not what is expected."""
    seconds: float = 0.0


def export(form: Form, module: nn.Module, exporter: str, path: Path) -> None:
    names = [f"x{index}" for index in range(len(form.inputs))]
    opset = max(form.opset or 0, DEFAULT_OPSETS[exporter])
    common = dict(input_names=names, opset_version=opset, verbose=False)
    if exporter == "dynamo":
        shapes = tuple({axis: torch.export.Dim.DYNAMIC for axis in axes} for axes in form.dynamic)
        torch.onnx.export(module, form.inputs, path, dynamo=True, external_data=False, dynamic_shapes=(
            (shapes,) if isinstance(module, Function) else shapes) if form.other else None, **common)
    else:
        axes = {name: {axis: f"{name}_{axis}" for axis in axes} for name, axes in zip(names, form.dynamic) if axes}
        exported = torch.jit.script(module) if form.scripted else module
        torch.onnx.export(exported, form.inputs, path, dynamo=False, dynamic_axes=axes or None, **common)


@contextmanager
def quiet():
    """Without warnings and without what libraries write to the process's standard output and error."""
    kept = [os.dup(1), os.dup(2)]
    sys.stdout.flush()
    with open(os.devnull, "w") as nothing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            for number, copy in enumerate(kept, 1):
                os.dup2(copy, number)
                os.close(copy)


def cause(fault: BaseException) -> str:
    """The message of the first fault in a chain, on one line and without colours."""
    while fault.__cause__ is not None:
        fault = fault.__cause__
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", f"{type(fault).__name__}: {fault}").split())


def flattened(value) -> list[np.ndarray]:
    if isinstance(value, Tensor):
        return [value.detach().numpy()]
    return [array for item in value for array in flattened(item)]


def allowed(expected: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: LIMIT * max(float(np.abs(value).max(initial=0.0)), 1e-6) if value.dtype.kind == "f" else 0.0
            for name, value in expected.items()}


class Checker:
    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options, self.folder = options, folder
        self.command = Command(options.command, folder)

    def row(self, form: Form, exporter: str) -> Row:
        start = time.monotonic()
        torch.manual_seed(1)
        module = form.build().eval()
        key, path = (form.name, exporter), self.folder / "exported.onnx"
        try:
            with quiet():
                export(form, module, exporter, path)
            row = self.compare(form, module, onnx.load(path), key)
        except Exception as fault:  # The exporters' errors share no type.
            message = cause(fault)
            expected = CANNOT_EXPORT.get(key)
            row = Row(*key, "not exported", message[:300], expected is None or expected not in message)
        row.seconds = round(time.monotonic() - start, 1)
        return row

    def compare(self, form: Form, module: nn.Module, model: onnx.ModelProto, key: tuple[str, str]) -> Row:
        if self.options.keep:
            self.options.keep.mkdir(parents=True, exist_ok=True)
            onnx.save(model, self.options.keep / f"{form.name}_{key[1]}.onnx")
        if key in CANNOT_EXPORT and key not in EXPORTED_WRONGLY:
            return Row(*key, "failed", "is exported, but expected not to be", True)
        for tensors in (form.inputs, form.other) if form.other else (form.inputs,):
            values = {f"x{index}": value.numpy() for index, value in enumerate(tensors)}
            feeds = {info.name: values[info.name] for info in model.graph.input}
            with torch.no_grad():
                outputs = flattened(module(*[value.clone() for value in tensors]))
            expected = dict(zip([info.name for info in model.graph.output], outputs, strict=True))
            for mode in MODES:
                found = self.command.run(model, feeds, mode)
                if wrong := faults(found, expected, allowed(expected)):
                    return self.blamed(model, feeds, found, key, f"{mode.name}, {next(iter(wrong.values()))}")
        return Row(*key, "passed", "is listed as exported wrongly" if key in EXPORTED_WRONGLY else "",
                   key in EXPORTED_WRONGLY)

    @staticmethod
    def blamed(model: onnx.ModelProto, feeds: dict[str, np.ndarray], found, key: tuple[str, str], text: str) -> Row:
        """Whether the file says what PyTorch computes: ONNX Runtime's word."""
        try:
            reference = dict(zip([info.name for info in model.graph.output], Reference(model).run(feeds)))
            same = not isinstance(found, str) and not faults(found, reference, allowed(reference))
            said = "ONNX Runtime agrees with Sardonyx" if same else "ONNX Runtime differs from Sardonyx"
        except Refused as fault:
            said, same = f"ONNX Runtime refuses it: {' '.join(str(fault).split())[:200]}", True
        if same and key in EXPORTED_WRONGLY:
            return Row(*key, "exported wrongly", EXPORTED_WRONGLY[key])
        return Row(*key, "failed", f"{text}; {said}", True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", help="the sardonyx command")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=FORMS, default=list(FORMS))
    parser.add_argument("--exporter", choices=EXPORTERS, action="append", help="default: both")
    parser.add_argument("--list", action="store_true", help="print the names of the modules and end")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write the exported files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")
    options = parser.parse_args()
    if options.list:
        print("\n".join(FORMS))
        return 0
    if not options.command:
        parser.error("--command is needed")
    for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(options, Path(folder))
        for name in options.only:
            for exporter in options.exporter or EXPORTERS:
                rows.append(row := checker.row(FORMS[name], exporter))
                print(f"{name:30} {exporter:12} {row.state:16} {'!' if row.surprise else ' '} {row.detail}", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    passed = [row for row in rows if row.state == "passed"]
    counts = ", ".join(f"{sum(row.exporter == name for row in passed)} pass from {name}" for name in EXPORTERS)
    both = sum(count == 2 for count in Counter(row.form for row in passed).values())
    print(f"{len(options.only)} modules: {counts}, {both} from both; {sum(row.surprise for row in rows)} surprises")
    return 1 if any(row.surprise for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
