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


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; every column but the first two is set right."""
    marks = ["---" if index < 2 else "--:" for index in range(len(heads))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, marks, *rows])


HEADS = {"threads": "speed-up (95 %)", "batch": "time per image / batch 1 (95 %)",
         "sizes": "time per pixel / 550 (95 %)", "contended": "slowdown (95 %)", "idle": "CPU s burnt"}
"""What the ratio of each scenario says."""


def scenario(result: dict) -> str:
    """One line for each engine and variant."""
    lines = []
    for row in result["rows"]:
        figure = row["note"] if row["median_ms"] is None else _ratio(row)
        if row["cpu_seconds"] is not None:
            figure = f"{row['cpu_seconds']:.3f}"
        lines.append([row["model"], NAMES[row["engine"]], row["variant"], number(row["median_ms"]), figure,
                      f"{row['dropped']}/{row['rounds'] + row['dropped']}"])
    heads = ["model", "engine", "variant", "median ms", HEADS[result["scenario"]], "dropped"]
    return "\n\n".join([table(heads, lines), caption(result)])


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
        mark = ""
        if row["note"]:
            mark = f" [{len(notes) + 1}]"
            notes.append(f"[{len(notes) + 1}] {row['model']}, {NAMES[row['engine']]}: {row['note']}.")
        error = "–" if row["error"] is None else f"{row['error']:.1e}"
        memory = "–" if row["peak_rss_mb"] is None else f"{row['peak_rss_mb']:.0f} ({row['base_rss_mb']:.0f})"
        lines.append([row["model"] if row["model"] != previous else "", names[row["engine"]] + mark,
                      number(row["median_ms"]), number(row["iqr_ms"], 2), _ratio(row), number(row["peak_percent"], 2),
                      number(row["load_ms"]), number(row["first_run_ms"]), memory, error,
                      f"{row['dropped']}/{row['rounds'] + row['dropped']}"])
        previous = row["model"]
    heads = ["model", "engine", "median ms", "IQR", "time / Sardonyx (95 %)", "% of FMA peak", "load ms",
             "first run ms", "peak MB (before load)", "error", "dropped"]
    return "\n\n".join([table(heads, lines), *(["\n".join(notes)] if notes else []), caption(result)])


def caption(result: dict) -> str:
    """Machine, versions, date and command, so that a table can be made again."""
    machine = result["machine"]
    versions = {row["engine"]: row["version"] for row in result["rows"] if row["version"]}
    engines = ", ".join(f"{NAMES[engine]} {version}" for engine, version in versions.items())
    return (f"{machine['cpu']}, {machine['cpus']} CPUs ({machine['isa']}), Linux {machine['kernel']}, "
            f"{machine['threads']} threads; measured at the start: {machine['fma_gmacs']:.0f} GMAC/s float32, "
            f"{machine['read_gbs']:.0f} GB/s reading. {engines}. {machine['date']}.\n`{result['command']}`")
