"""Results as a Markdown table."""

from __future__ import annotations

NAMES = {"sardonyx": "Sardonyx", "onnxruntime": "ONNX Runtime", "openvino-f32": "OpenVINO f32",
         "openvino": "OpenVINO default", "ncnn": "ncnn fp32"}


def number(value: float | None, digits: int = 3) -> str:
    """`digits` significant digits without an exponent; whole numbers keep all of theirs."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    shown = f"{value:.{digits}g}"
    return shown if "e" not in shown else f"{value:.{digits}f}"


def titles(rows: list[dict]) -> dict[str, str]:
    """Each engine's name, with the precision where it is not float32."""
    found: dict[str, str] = {}
    for row in rows:
        reduced = row["precision"] not in ("", "f32")
        if reduced or row["engine"] not in found:
            found[row["engine"]] = NAMES[row["engine"]] + (f" ({row['precision']})" if reduced else "")
    return found


def table(heads: list[str], rows: list[list[str]], left: int) -> str:
    """A Markdown table; every column but the first `left` is set right."""
    marks = ["---" if index < left else "--:" for index in range(len(heads))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, marks, *rows])


HEADS = {"threads": "speed-up (95 %)", "batch": "time per image / batch 1 (95 %)",
         "sizes": "time per pixel / 550 (95 %)", "contended": "slowdown (95 %)", "idle": "CPU s burnt"}
"""What the ratio of each scenario says."""


def scenario(result: dict) -> str:
    """One line for each engine and variant."""
    lines, notes = [], []
    for row in result["rows"]:
        figure = _ratio(row) if row["cpu_seconds"] is None else f"{row['cpu_seconds']:.3f}"
        lines.append([row["model"], NAMES[row["engine"]] + _mark(row, notes), row["variant"], number(row["median_ms"]), figure,
                      f"{row['dropped']}/{row['rounds'] + row['dropped']}"])
    heads = ["model", "engine", "variant", "median ms", HEADS[result["scenario"]], "dropped"]
    return _page(table(heads, lines, 3), notes, result)


def _mark(row: dict, notes: list[str]) -> str:
    """The mark of the row's footnote, which joins `notes`; nothing for a row without one."""
    if not row["note"]:
        return ""
    if row["note"] not in notes:
        notes.append(row["note"])
    return f" [{notes.index(row['note']) + 1}]"


def _page(body: str, notes: list[str], result: dict) -> str:
    footnotes = "\n".join(f"[{index}] {note}." for index, note in enumerate(notes, 1))
    return "\n\n".join(filter(None, [body, footnotes, caption(result)]))


def _ratio(row: dict) -> str:
    if row["ratio"] is None:
        return "–"
    return f"{row['ratio']:.2f} ({row['ratio_low']:.2f}–{row['ratio_high']:.2f})"


def standard(result: dict) -> str:
    """The standard comparison, one line for each model and engine."""
    lines: list[list[str]] = []
    notes: list[str] = []
    previous = ""
    names = titles(result["rows"])
    for row in result["rows"]:
        error = "–" if row["error"] is None else f"{row['error']:.1e}"
        memory = "–" if row["peak_rss_mb"] is None else f"{row['peak_rss_mb']:.0f} ({row['base_rss_mb']:.0f})"
        lines.append([row["model"] if row["model"] != previous else "", names[row["engine"]] + _mark(row, notes),
                      number(row["median_ms"]), number(row["iqr_ms"], 2), _ratio(row), number(row["peak_percent"], 2),
                      number(row["load_ms"]), number(row["first_run_ms"]), memory, error,
                      f"{row['dropped']}/{row['rounds'] + row['dropped']}"])
        previous = row["model"]
    heads = ["model", "engine", "median ms", "IQR", "time / Sardonyx (95 %)", "% of FMA peak", "load ms",
             "first run ms", "peak MB (before load)", "error", "dropped"]
    return _page(table(heads, lines, 2), notes, result)


def caption(result: dict) -> str:
    """Machine, versions, date and command, so that a table can be made again."""
    machine = result["machine"]
    versions = {row["engine"]: row["version"] for row in result["rows"] if row["version"]}
    engines = ", ".join(f"{NAMES[engine]} {version}" for engine, version in versions.items())
    return (f"{machine['cpu']}, {machine['cpus']} CPUs ({machine['isa']}), Linux {machine['kernel']}, "
            f"{machine['threads']} threads; measured at the start: {machine['fma_gmacs']:.0f} GMAC/s float32, "
            f"{machine['read_gbs']:.0f} GB/s reading. {engines}. {machine['date']}.\n`{result['command']}`")
