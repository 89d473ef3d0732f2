#!/usr/bin/env python3
"""Writes the manual: a page for each subcommand in Sources/SardonyxCommand/Manual, with what its examples really print
and draw, and the man page sardonyx.1. The text comes from the command's own help.

With --check nothing is written: the examples run again, and the exit code is 1 where a page is not what it would be.
Output that depends on the machine (times, memory) is not compared, only whether the example still works.

Examples:
  tools/manual
  tools/manual --only inspect compare
  tools/manual --check
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from manual_examples import EXAMPLES, Example, prepare
from manual_roff import man_page
from page_browser import Browser

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "Sources" / "SardonyxCommand" / "Manual"
MOST_LINES = 44
"""Of an example's output; the others are counted."""


def describe(command: str) -> dict:
    """What the command says of itself (swift-argument-parser's ToolInfo)."""
    return json.loads(subprocess.run([command, "--experimental-dump-help"], check=True, capture_output=True).stdout)["command"]


def subcommands(tool: dict) -> list[dict]:
    return [entry for entry in tool["subcommands"] if entry["commandName"] != "help" and entry.get("shouldDisplay", True)]


def spelling(argument: dict) -> str:
    """As on the command line: `--model <model>`."""
    value = f"<{argument.get('valueName', 'value')}>"
    if argument["kind"] == "positional":
        return value + ("…" if argument["isRepeating"] else "")
    names = sorted((("-" if name["kind"] == "short" else "--") + name["name"] for name in argument["names"]), key=len)
    return ", ".join(names) + ("" if argument["kind"] == "flag" else " " + value)


def explanation(argument: dict) -> str:
    text = argument.get("abstract", "")
    if choices := argument.get("allValues"):
        text += f" ({', '.join(choices)})"
    if default := argument.get("defaultValue"):
        text += f" (default: {default})"
    return text


def shown(entry: dict) -> list[dict]:
    return [argument for argument in entry["arguments"]
            if argument.get("shouldDisplay", True) and argument.get("preferredName", {}).get("name") not in ("help", "version")]


def page(entry: dict, fragments: list[str]) -> str:
    name = entry["commandName"]
    prose, _, examples = entry.get("discussion", "").partition("Examples:\n")
    lines = [f"# sardonyx {name}", "", entry["abstract"]]
    if prose.strip():
        lines += ["", prose.strip()]
    if examples.strip():
        lines += ["", "```", *(line.strip() for line in examples.strip().splitlines()), "```"]
    for title, kind in [("Arguments", True), ("Options", False)]:
        rows = [argument for argument in shown(entry) if (argument["kind"] == "positional") == kind]
        if rows:
            lines += ["", f"## {title}", "", "| | |", "|---|---|"]
            lines += [f"| `{spelling(row)}` | {explanation(row).replace('|', chr(92) + '|')} |" for row in rows]
    if fragments:
        lines += ["", "## What it shows", *fragments]
    lines += ["", "Made by `tools/manual` from the command's help and from what it printed."]
    return re.sub(r"[ \t]+\n", "\n", "\n".join(lines)) + "\n"


def run(example: Example, command: str, folder: Path) -> str:
    """The example's output, cut where it is long.

    Raises SystemExit when it fails, or a picture is missing.
    """
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    if not (binaries / "sardonyx").exists():
        (binaries / "sardonyx").symlink_to(Path(command).resolve())
    environment = os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}"}
    done = subprocess.run(example.words, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != example.exit_code:
        raise SystemExit(f"manual: {' '.join(example.words)}: exit code {done.returncode}, not {example.exit_code}:\n{done.stderr}")
    for picture in example.pictures:
        if not (folder / picture.made).exists():
            raise SystemExit(f"manual: {' '.join(example.words)}: {picture.made} was not written")
    lines = done.stdout.rstrip("\n").splitlines()
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"]
    return "\n".join(lines)


def fragment(example: Example, output: str) -> str:
    parts = ["", example.caption, ""]
    if example.shows_output:
        parts += ["```", "$ " + example.command, *([output] if output else []), "```"]
    else:
        parts += ["```", "$ " + example.command, "```"]
    for picture in example.pictures:
        parts += ["", f"![{picture.caption}]({picture.kept})"]
    return "\n".join(parts)


def write_pictures(example: Example, folder: Path) -> None:
    for picture in example.pictures:
        source, target = folder / picture.made, PAGES / picture.kept
        if source.suffix == ".html":
            with Browser(width=picture.width, height=picture.height) as browser:
                browser.open(source)
                browser.screenshot(target)
        else:
            shutil.copyfile(source, target)


def build_pages(tool: dict, command: str, only: set[str], keeps_pictures: bool) -> dict[Path, tuple[str, bool]]:
    """Pages by their paths, and whether their text is the same on every machine."""
    pages: dict[Path, tuple[str, bool]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, ROOT)
        for entry in subcommands(tool):
            examples = EXAMPLES.get(entry["commandName"], [])
            if only and entry["commandName"] not in only:
                continue
            fragments = []
            for example in examples:
                print(f"manual: {' '.join(example.words)}", file=sys.stderr)
                fragments.append(fragment(example, run(example, command, folder)))
                if keeps_pictures:
                    write_pictures(example, folder)
            pages[PAGES / f"{entry['commandName']}.md"] = (
                page(entry, fragments), all(example.is_stable for example in examples))
    return pages


def faults(pages: dict[Path, tuple[str, bool]]) -> list[str]:
    """Pages that are not what they would be."""
    wrong = []
    for path, (text, is_stable) in pages.items():
        kept = path.read_text() if path.exists() else ""
        if not is_stable:
            text, kept = (part.partition("\n## What it shows\n")[0] for part in (text, kept))
        if text != kept:
            wrong.append(str(path.relative_to(ROOT)))
        wrong += [f"{path.parent.relative_to(ROOT)}/{picture} is missing"
                  for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", path.read_text() if path.exists() else "")
                  if not (path.parent / picture).exists()]
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/manual", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="+", metavar="SUBCOMMAND", default=[])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    tool = describe(options.command)
    known = {entry["commandName"] for entry in subcommands(tool)}
    if unknown := set(options.only) - known:
        parser.error(f"--only: unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    if missing := known - set(EXAMPLES):
        sys.exit(f"manual: no examples of {', '.join(sorted(missing))} in tools/manual_examples.py")
    PAGES.mkdir(exist_ok=True)
    pages = build_pages(tool, options.command, set(options.only), keeps_pictures=not options.check)
    pages[PAGES / "sardonyx.1"] = (man_page(tool, subcommands(tool), shown, spelling, explanation), True)
    if options.check:
        if wrong := faults(pages):
            sys.exit("manual: run tools/manual; out of date: " + ", ".join(wrong))
        print(f"manual: {len(pages)} pages are up to date")
        return
    for path, (text, _) in pages.items():
        path.write_text(text)
    print(f"manual: wrote {len(pages)} pages to {PAGES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
