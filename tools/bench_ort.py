#!/usr/bin/env python3
"""Times models in Sardonyx and ONNX Runtime, round by round in turn, each in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 3  # of each engine a round; their median counts

ONNXRUNTIME = """
import json, resource, statistics, sys, time
import numpy as np, onnxruntime
model, runs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.log_severity_level = threads, 3
start = time.perf_counter()
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
load = time.perf_counter() - start
feeds = {i.name: np.random.default_rng(0).random([d if isinstance(d, int) else 1 for d in i.shape], dtype=np.float32)
         for i in session.get_inputs()}
times = []
for _ in range(runs + 2):
    start = time.perf_counter()
    session.run(None, feeds)
    times.append(time.perf_counter() - start)
print(json.dumps({"medianMilliseconds": 1e3 * statistics.median(times[2:]), "loadMilliseconds": 1e3 * load,
                  "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def measure(arguments: list[str]) -> dict:
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench-ort: {arguments[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def compare(command: str, model: Path, rounds: int, threads: int) -> dict:
    ours = [command, "bench", str(model), "--rounds", str(RUNS), "--warm-up", "1", "--threads", str(threads), "--json"]
    theirs = [sys.executable, "-c", ONNXRUNTIME, str(model), str(RUNS), str(threads)]
    rows: dict[str, list[dict]] = {"sardonyx": [], "onnxruntime": []}
    for index in range(rounds):
        order = [("sardonyx", ours), ("onnxruntime", theirs)]
        for name, arguments in order if index % 2 == 0 else reversed(order):
            rows[name].append(measure(arguments))
        if sys.stderr.isatty():
            print(f"\r{model.name}: round {index + 1} of {rounds}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)

    def median(name: str, key: str) -> float:
        return statistics.median(row[key] for row in rows[name])

    ratios = [a["medianMilliseconds"] / b["medianMilliseconds"] for a, b in zip(rows["sardonyx"], rows["onnxruntime"])]
    return {"model": model.stem, "rounds": rounds, "threads": threads,
            "sardonyx_ms": round(median("sardonyx", "medianMilliseconds"), 2),
            "onnxruntime_ms": round(median("onnxruntime", "medianMilliseconds"), 2),
            "ratio": round(statistics.median(ratios), 3), "ratio_least": round(min(ratios), 3),
            "ratio_greatest": round(max(ratios), 3),
            "sardonyx_load_ms": round(median("sardonyx", "loadMilliseconds"), 1),
            "onnxruntime_load_ms": round(median("onnxruntime", "loadMilliseconds"), 1),
            "sardonyx_peak_mb": round(median("sardonyx", "peakResidentBytes") / 1e6),
            "onnxruntime_peak_mb": round(median("onnxruntime", "peakResidentBytes") / 1e6),
            "load_average": round(os.getloadavg()[0], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = options.models
        if not models:
            from export_models import export_entry
            from model_zoo import MODELS

            models = [Path(folder) / "yolact_resnet50.onnx"]
            export_entry(MODELS["yolact_resnet50"], models[0], "torchscript")
        rows = [compare(options.command, model, options.rounds, options.threads) for model in models]
    print(f"{'model':24} {'Sardonyx':>10} {'ORT':>10} {'ratio':>7} {'(least-greatest)':>17} {'peak MB':>8} {'ORT':>6}")
    for row in rows:
        span = f"({row['ratio_least']}-{row['ratio_greatest']})"
        print(f"{row['model']:24} {row['sardonyx_ms']:7.1f} ms {row['onnxruntime_ms']:7.1f} ms {row['ratio']:7.3f} "
              f"{span:>17} {row['sardonyx_peak_mb']:8} {row['onnxruntime_peak_mb']:6}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
