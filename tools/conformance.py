"""Runs `sardonyx test` on the official ONNX cases at every ISA level and compares with the committed list."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

LEVELS = ("scalar", "avx2", "avx512")
LIST = Path(__file__).parent / "not_passing_cases.json"


def levels(command: str) -> list[str]:
    """The ISA levels up to the one that the command picks here."""
    doctor = json.loads(subprocess.run([command, "doctor", "--json"], capture_output=True, text=True, check=True).stdout)
    return list(LEVELS[: LEVELS.index(doctor["isaSupported"]) + 1])


def run(command: str, cases: Path, level: str, names: list[str]) -> list[dict]:
    arguments = [command, "test", str(cases), "--json", "-"]
    for name in names:
        arguments += ["--filter", name]
    finished = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, env=os.environ | {"SARDONYX_ISA": level})
    if finished.returncode not in (0, 1):
        sys.exit(f"conformance: sardonyx test ended with {finished.returncode} at level {level}")
    return json.loads(finished.stdout)["results"]


def combine(runs: dict[str, list[dict]]) -> dict[str, dict]:
    """By case: its kind and, level by level and engine by engine, why it did not pass."""
    cases: dict[str, dict] = {}
    for level, results in runs.items():
        for result in results:
            case = cases.setdefault(f"{result['kind']}/{result['name']}", {"kind": result["kind"], "reasons": {}})
            for engine, reason in result["reasons"].items():
                case["reasons"][f"{level}, {engine}"] = reason
    return cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", required=True)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--filter", action="append", default=[], metavar="TEXT")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()

    runs = {}
    for level in levels(options.command):
        print(f"conformance: {level}", file=sys.stderr)
        runs[level] = run(options.command, options.cases, level, options.filter)
    cases = combine(runs)
    failing = {name: case["reasons"] for name, case in cases.items() if case["reasons"]}
    listed = json.loads(LIST.read_text())["cases"] if LIST.exists() else {}

    total, passed = Counter(case["kind"] for case in cases.values()), Counter()
    passed.update(case["kind"] for case in cases.values() if not case["reasons"])
    for kind in sorted(total):
        print(f"{kind:20} {passed[kind]:5} of {total[kind]:5}")
    print(f"{'all':20} {passed.total():5} of {total.total():5}, at {', '.join(runs)}, optimised and node by node")

    surprises = [f"does not pass: {name} ({', '.join(reasons)}): {next(iter(reasons.values()))}"
                 for name, reasons in sorted(failing.items()) if name not in listed]
    surprises += [f"passes, but is listed: {name}" for name in sorted(listed) if name in cases and name not in failing]
    if options.json:
        report = {"total": total.total(), "passed": passed.total(), "levels": list(runs), "kinds": {
            kind: {"passed": passed[kind], "total": total[kind]} for kind in sorted(total)}, "not_passing": failing}
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    if options.update:
        if options.filter:
            sys.exit("conformance: --update needs all cases; leave out --filter")
        found = {name: next(iter(reasons.values())).split(", allowed")[0] for name, reasons in failing.items()}
        reasons = {name: listed.get(name) or found[name] for name in sorted(found)}
        LIST.write_text(json.dumps({"total": total.total(), "cases": reasons}, indent=1, ensure_ascii=False) + "\n")
        return 0
    for surprise in surprises:
        print(surprise)
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
