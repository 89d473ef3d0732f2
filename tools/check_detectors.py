#!/usr/bin/env python3
"""Exports small detectors of every family and compares Sardonyx with independent statements of their decoders.

Each export runs on twenty pictures of different shapes: its card's geometry in torch, then ONNX Runtime. A decoder in
numpy and `sardonyx segment`, on a graph that gives those recorded outputs, must then agree: the same classes and
counts, scores within 1e-5, boxes within 0.01 pixels, masks of 1000 pixels and more within 0.999 overlap, smaller ones
but for one pixel. Where only one side has an instance, the reference must have met a decision within 1e-5 of the other
outcome (a score at the threshold, an overlap at the limit, equal scores); these are counted.

The pictures go through `segment` with the export itself as well; "kept" is the share of the reference's instances that
it finds within two pixels and 0.01 of score. Networks with random weights amplify the rounding of their input a
thousandfold, so that near decisions turn: nine of ten must be there. Graphs that decide themselves are also run by
`sardonyx run`, and what they decide is compared in the same way with ONNX Runtime's.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper

from detectors import pictures
from detectors.comparison import Result, compare, paired, parsed
from detectors.form import Form, card_path, threshold, write_card
from detectors.forms import FORMS
from detectors.geometry import Placement, prepared
from detectors.instance import Instance, Ties

RUN_PICTURES = slice(0, None, 5)
KEPT_LIMIT = 0.9
EXAMPLES = """examples:
  tools/check-detectors --command .build/release/sardonyx
  tools/check-detectors --only yolo_v8_segment detr --keep /tmp/detectors
  tools/check-detectors --without-cards --jobs 1
"""


class Command:
    """The sardonyx command; it writes to `folder`."""

    def __init__(self, path: str, folder: Path, threads: int):
        self.path, self.folder, self.threads = path, folder, threads

    def text(self, *arguments: object) -> str:
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise RuntimeError(f"{arguments[0]}: exit code {done.returncode}: {' '.join(lines)[:400]}")
        return done.stdout

    def segment(self, paths: list[Path], model: Path, score: float, *options: object) -> list[dict]:
        """By picture, what `segment --json` says."""
        found = json.loads(self.text("segment", *paths, "--model", model, "--json", "--score", score,
                                     "--threads", self.threads, "--out", self.folder / "written", *options))
        return found if isinstance(found, list) else [found]

    def card(self, model: Path) -> dict:
        """The card that the command proposes for a model without one."""
        found = json.loads(self.text("card", model, "--json"))
        return found.get("card", found)

    def run(self, model: Path, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
        source, target = self.folder / "input.npy", self.folder / "outputs.npz"
        np.save(source, value)
        self.text("run", model, "--input", f"{name}={source}", "--output", target, "--threads", self.threads)
        with np.load(target) as file:
            return {key: file[key] for key in file.files}


class Reference:
    """ONNX Runtime and the decoder's independent statement."""

    def __init__(self, form: Form, model: Path, card: dict, threads: int):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        self.form, self.card = form, card
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]

    def outputs(self, picture: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray], Placement]:
        """The network's input, its outputs by name, and where the picture lies."""
        value, where = prepared(picture, self.card["input"])
        value = value.numpy() if len(self.input.shape) == 4 else value[0].numpy()
        names = [output.name for output in self.session.get_outputs()]
        return value, dict(zip(names, self.session.run(names, {self.input.name: value}))), where

    def instances(self, outputs: dict[str, np.ndarray], where: Placement, ties: Ties) -> list[Instance]:
        return self.form.decode({role: outputs[name] for role, name in self.card["outputs"].items()}, where, self.card,
                                ties)

    def recorded(self, value: np.ndarray, outputs: dict[str, np.ndarray]) -> onnx.ModelProto:
        """A graph of the same input and outputs that gives these."""
        kind = helper.np_dtype_to_tensor_dtype
        graph = helper.make_graph(
            [helper.make_node("Identity", [f"{name} recorded"], [name]) for name in outputs], "recorded",
            [helper.make_tensor_value_info(self.input.name, kind(value.dtype), value.shape)],
            [helper.make_tensor_value_info(name, kind(found.dtype), found.shape) for name, found in outputs.items()],
            [numpy_helper.from_array(np.ascontiguousarray(found), f"{name} recorded")
             for name, found in outputs.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def differences(proposed: dict, wanted: dict) -> list[str]:
    """Where a proposed card says something else than the family's own about what decides the result."""
    pairs = [(key, proposed.get(key), wanted[key]) for key in ("decoder", "outputs")]
    pairs += [(key, proposed.get("input", {}).get(key), wanted["input"].get(key))
              for key in ("channels", "mean", "std", "geometry")]
    return [f"{key} {found}, the family's {expected}" for key, found, expected in pairs if found != expected]


def objects(entry: dict, pixels: np.ndarray) -> list[Instance]:
    """The objects of a picture's JSON; raises ValueError where it contradicts itself or the picture."""
    height, width = pixels.shape[:2]
    if (entry["width"], entry["height"]) != (width, height):
        raise ValueError(f"{entry['width']}x{entry['height']}, expected {width}x{height}")
    return [parsed(item, width, height) for item in entry["objects"]]


class Checker:
    """Runs forms, one after the other."""

    def __init__(self, options: argparse.Namespace, command: Command, folder: Path, paths: list[Path]):
        self.options, self.command, self.folder, self.scratch = options, command, folder, command.folder
        self.pictures, self.pixels = paths, [pictures.read(path) for path in paths]

    def row(self, form: Form) -> tuple[Result, float]:
        """The form's result and its seconds."""
        start = time.monotonic()
        try:
            result = self.check(form)
        except (RuntimeError, KeyError, json.JSONDecodeError) as fault:
            result = Result(faults=[f"{type(fault).__name__}: {fault}"])
        return result, time.monotonic() - start

    def exported(self, form: Form) -> tuple[Path, dict]:
        """The model and its card; files of an earlier run in --keep are used again."""
        model = self.folder / f"{form.name}.onnx"
        if not (model.exists() and card_path(model).exists()):
            write_card(form.write(model), model)
        return model, json.loads(card_path(model).read_text())

    def check(self, form: Form) -> Result:
        result = Result()
        model, card = self.exported(form)
        options: list[object] = []
        score = threshold(card)
        if self.options.without_cards:
            bare = self.folder / "bare" / model.name
            bare.parent.mkdir(exist_ok=True)
            bare.write_bytes(model.read_bytes())
            options = ["--top-k", card["thresholds"]["top_k"]]
            own, card = card, self.command.card(bare)
            result.faults += [f"proposed card: {text}" for text in differences(card, own)]
            card["thresholds"] = own["thresholds"]
            model = bare
        reference = Reference(form, model, card, self.command.threads)
        whole = self.command.segment(self.pictures, model, score, *options)
        if len(whole) != len(self.pictures):
            result.faults.append(f"{len(whole)} pictures, expected {len(self.pictures)}")
        wanted = kept = 0
        for path, pixels, entry in zip(self.pictures, self.pixels, whole):
            ties = Ties()
            value, outputs, where = reference.outputs(pixels)
            expected = reference.instances(outputs, where, ties)
            try:
                found = self.decoded(path, pixels, reference.recorded(value, outputs), card, score)
                compare(result, path.name, expected, found, ties)
                alone = paired(expected, objects(entry, pixels))[1]
            except ValueError as fault:
                result.faults.append(f"{path.name}: {fault}")
                continue
            wanted += len(expected)
            kept += len(expected) - sum(any(one is other for other in alone) for one in expected)
        result.kept = kept / wanted if wanted else 1.0
        if result.kept < KEPT_LIMIT:
            result.faults.append(f"with the export itself {kept} of {wanted} instances")
        if form.whole and not self.options.without_cards:
            self.compare_outputs(result, reference, model, card)
        return result

    def decoded(self, picture: Path, pixels: np.ndarray, model: onnx.ModelProto, card: dict,
                score: float) -> list[Instance]:
        """What `segment` makes of recorded outputs."""
        path, beside = self.scratch / "recorded.onnx", self.scratch / "recorded.json"
        onnx.save(model, path)
        beside.write_text(json.dumps(card))
        options = ["--card", beside, "--top-k", card["thresholds"]["top_k"]] if "top_k" in card["thresholds"] else [
            "--card", beside]
        return objects(self.command.segment([picture], path, score, *options)[0], pixels)

    def compare_outputs(self, result: Result, reference: Reference, model: Path, card: dict) -> None:
        """What a whole graph decides beside ONNX Runtime: the same instances but for turned decisions."""
        wanted = kept = 0
        for path, pixels in list(zip(self.pictures, self.pixels))[RUN_PICTURES]:
            value, expected, where = reference.outputs(pixels)
            found = self.command.run(model, reference.input.name, value)
            for name, theirs in expected.items():
                ours = found.get(name)
                if ours is None or ours.dtype != theirs.dtype or ours.shape[1:] != theirs.shape[1:]:
                    said = "no such output" if ours is None else f"{ours.dtype}{list(ours.shape)}"
                    result.faults.append(
                        f"run, {path.name}: {name}: {said}, expected {theirs.dtype}{list(theirs.shape)}")
                    return
            theirs = reference.instances(expected, where, Ties())
            alone = paired(theirs, reference.instances(found, where, Ties()))[1]
            wanted += len(theirs)
            kept += len(theirs) - sum(any(one is other for other in alone) for one in theirs)
        if kept < KEPT_LIMIT * wanted:
            result.faults.append(f"run: {kept} of {wanted} instances of ONNX Runtime")


def start_worker(options: argparse.Namespace, folder: Path, paths: list[Path], scratch: Path) -> None:
    """Gives this process its checker; the jobs share the CPUs out."""
    global CHECKER
    threads = max(1, len(os.sched_getaffinity(0)) // options.jobs)
    torch.set_num_threads(threads)
    own = Path(tempfile.mkdtemp(dir=scratch))
    CHECKER = Checker(options, Command(options.command, own, threads), folder, paths)


def row_of(name: str) -> tuple[Result, float]:
    return CHECKER.row(FORMS[name])


def print_row(form: Form, row: Result, seconds: float) -> None:
    print(f"{form.name:28} {row.pictures:8} {row.instances:9} {row.near_ties:9} {row.score:8.1e} {row.box:8.1e} "
          f"{row.mask:8.5f} {row.pixels:6} {row.kept:5.2f} {seconds:7.1f} {'FAILED' if row.faults else 'ok'}")
    for text in row.faults[:3]:
        print(f"    {text}")
    if len(row.faults) > 3:
        print(f"    and {len(row.faults) - 3} more")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", help="the sardonyx command")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="forms, or beginnings of their names")
    parser.add_argument("--without-cards", action="store_true",
                        help="run those that the file itself describes, with no card, and check the proposed card")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="forms that run at the same time (default: the CPUs)")
    parser.add_argument("--list", action="store_true", help="print the forms and end")
    parser.add_argument("--keep", type=Path, metavar="DIR",
                        help="keep models, cards and pictures here, and use them again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")
    options = parser.parse_args()
    forms = [form for form in FORMS.values()
             if (not options.only or any(form.name.startswith(name) for name in options.only))
             and (form.recognised or not options.without_cards)]
    if options.list:
        print("\n".join(form.name for form in forms))
        return 0
    if not forms:
        parser.error(f"no form is named {' or '.join(options.only)}; --list prints them")
    if not options.command:
        parser.error("--command is needed")
    if options.jobs < 1:
        parser.error(f"--jobs: got {options.jobs}, expected 1 or more")
    rows: dict[str, Result] = {}
    print(f"{'form':28} {'pictures':>8} {'instances':>9} {'near ties':>9} {'score':>8} {'box':>8} {'mask':>8} "
          f"{'pixels':>6} {'kept':>5} {'seconds':>7}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder, scratch = options.keep or Path(name), Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        # Forked, so that the libraries are loaded once.
        workers = ProcessPoolExecutor(
            options.jobs, multiprocessing.get_context("fork"), start_worker,
            (options, folder, pictures.write(folder / "pictures"), scratch))
        with workers:
            for form, (row, seconds) in zip(forms, workers.map(row_of, [form.name for form in forms])):
                rows[form.name] = row
                print_row(form, row, seconds)
    if options.json:
        options.json.write_text(json.dumps({name: asdict(row) for name, row in rows.items()}, indent=1) + "\n")
    failed = [name for name, row in rows.items() if row.faults]
    print(f"{len(rows)} forms, {sum(row.instances for row in rows.values())} instances, "
          f"{sum(row.near_ties for row in rows.values())} near ties: {len(rows) - len(failed)} agree, "
          f"{len(failed)} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
