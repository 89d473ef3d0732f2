#!/usr/bin/env python3
"""Writes Sources/OPERATORS.md, the table of operators, from the command's own list and the doc comments.

Examples:
  tools/operator-table
  tools/operator-table --check     says whether the file is what would be written; exit code 1 when it is not
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "Sources" / "Operators"
TABLE = ROOT / "Sources" / "OPERATORS.md"
HEAD = """# Operators that run

Written by `tools/operator-table` from the operator table in the code (`sardonyx operators --json`) and the doc comments of
the types that implement it. Versions are those of the domain's operator set; element types are those that the first input
may have, where it is a tensor.
"""
FAMILIES = [("integers", "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()),
            ("floats", "float16 bfloat16 float32 float64".split()),
            ("float8", "float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz".split())]
DECLARATION = re.compile(r"((?:^ *///.*\n)+)(?:^@.*\n)*^(?:package |public )?(?:final )?(?:struct|class|enum) (\w+)", re.M)


def notes() -> dict[str, str]:
    """The doc comment of every type, first paragraph, as one line."""
    found: dict[str, str] = {}
    for path in sorted(SOURCES.rglob("*.swift")):
        for comment, name in DECLARATION.findall(path.read_text()):
            lines = [line.strip().removeprefix("///").strip() for line in comment.strip().splitlines()]
            paragraph = lines[: lines.index("")] if "" in lines else lines
            found[name] = " ".join(paragraph).replace("|", "\\|")
    return found


def types(names: list[str], every: int) -> str:
    if len(names) == every:
        return "all"
    left, words = list(names), []
    for family, members in FAMILIES:
        if all(member in left for member in members):
            words.append(family)
            left = [name for name in left if name not in members]
    return ", ".join(words + left)


def table(operators: list[dict]) -> str:
    described, every = notes(), max(len(entry["elementTypes"]) for entry in operators)
    text = [HEAD]
    for domain, entries in groupby(operators, key=lambda entry: entry["domain"]):
        entries = list(entries)
        text += [f"## {domain} ({len(entries)})\n", "| operator | versions | element types | notes |", "|---|---|---|---|"]
        for entry in entries:
            versions = f"{entry['firstVersion']}-{entry['lastVersion']}"
            text.append(f"| {entry['name']} | {versions} | {types(entry['elementTypes'], every)} "
                        f"| {described.get(entry['implementation'], '')} |")
        text.append("")
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/operator-table", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    listed = subprocess.run([options.command, "operators", "--json"], capture_output=True, text=True, check=True).stdout
    text = table(json.loads(listed))
    if not options.check:
        TABLE.write_text(text)
        print(f"wrote {TABLE.relative_to(ROOT)}")
    elif not TABLE.exists() or TABLE.read_text() != text:
        sys.exit(f"{TABLE.relative_to(ROOT)} is not what the code says; run tools/operator-table and commit it")


if __name__ == "__main__":
    main()
