#!/usr/bin/env python3
"""Checks what `sardonyx optimize`, `extract` and `reduce` write.

networks     the five YOLACT configurations, NanoDet-m, a RetinaNet with If and Loop, vit_b_16, an export by dynamo:
             optimised, written as they are, with external data, cut at three tensors: onnx.checker with full_check, and
             the outputs of the original in ONNX Runtime (max|a - b| <= 1e-4 max|b|)
conformance  every official case, read and written, and optimised: `sardonyx test` gives the same results
opsets       other operator sets: refused where an operator changed, else the same outputs
reduction    graphs of 300 nodes with one bad one: at most 5 are left, every candidate is valid
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from graph_tools import conformance, networks, opsets, reduction  # noqa: E402
from graph_tools.shared import Command, Findings  # noqa: E402

EXAMPLES = """examples:
  tools/check-graph-tools --command .build/release/sardonyx
  tools/check-graph-tools --only networks --models nanodet_m --keep /tmp/graphs
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True)
    parser.add_argument("--only", nargs="+", metavar="PART", choices=["networks", "conformance", "opsets", "reduction"])
    parser.add_argument("--models", nargs="+", metavar="NAME", default=[])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where exports stay (default: a temporary folder)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command, findings = Command(str(Path(options.command).resolve())), Findings()
    parts = {
        "reduction": lambda folder: reduction.check(command, folder, findings),
        "opsets": lambda folder: opsets.check(command, folder, findings),
        "conformance": lambda folder: conformance.check(command, folder, findings),
        "networks": lambda folder: networks.check(command, folder, findings, options.models),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            if options.only and name not in options.only:
                continue
            print(name, flush=True)
            start = time.monotonic()
            part(folder)
            print(f"  {time.monotonic() - start:.0f} s", flush=True)
    print(f"{findings.checked - len(findings.faults)} of {findings.checked} checks hold")
    if options.json:
        options.json.write_text(json.dumps(vars(findings), indent=1, ensure_ascii=False) + "\n")
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
