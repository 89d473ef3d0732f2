"""The man page, in the man macros."""

from __future__ import annotations

from typing import Callable


def escape(text: str) -> str:
    """Text in which roff sees no requests and no hyphens."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.splitlines())


def paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for part in text.strip().split("\n\n"):
        lines += [".PP", escape(" ".join(line.strip() for line in part.splitlines()))]
    return lines


def man_page(
    tool: dict, entries: list[dict], shown: Callable[[dict], list[dict]], spelling: Callable[[dict], str],
    explanation: Callable[[dict], str],
) -> str:
    name = tool["commandName"]
    prose, _, examples = tool.get("discussion", "").partition("Examples:\n")
    examples, _, codes = examples.partition("\n\n")
    lines = [f'.TH {name.upper()} 1 "" "Sardonyx" "User Commands"', ".SH NAME", f"{name} \\- {escape(tool['abstract'])}",
             ".SH SYNOPSIS", f".B {name}", ".I subcommand", "[options]"]
    if prose.strip():
        lines += [".SH DESCRIPTION", *paragraphs(prose)[1:]]
    lines.append(".SH SUBCOMMANDS")
    for entry in entries:
        lines += [f".SS {name} {entry['commandName']}", escape(entry["abstract"])]
        text, _, examples_of = entry.get("discussion", "").partition("Examples:\n")
        if text.strip():
            lines += paragraphs(text)
        for argument in shown(entry):
            lines += [".TP", f"\\fB{escape(spelling(argument))}\\fR", escape(explanation(argument)) or "\\&"]
        if examples_of.strip():
            lines += [".PP", "Examples:", ".PP", ".nf", *(escape("    " + line.strip()) for line in examples_of.strip().splitlines()), ".fi"]
    lines += [".SH EXAMPLES", ".nf", *(escape(line) for line in examples.splitlines()), ".fi"]
    lines += [".SH EXIT STATUS", *paragraphs(codes)[1:]]
    lines += [".SH ENVIRONMENT", ".TP", ".B SARDONYX_ISA", "scalar, avx2 or avx512: the most that kernels may use.",
              ".TP", ".B OMP_NUM_THREADS", "Threads, where no option says how many.",
              ".TP", ".B NO_COLOR", "Any value: no colour on a terminal."]
    return "\n".join(lines) + "\n"
