"""The comparison as an SVG bar chart: one group for each model, bars of time relative to Sardonyx."""

from __future__ import annotations

from html import escape

from .report import NAMES, number, titles

COLOURS = {"sardonyx": "#0f766e", "onnxruntime": "#94a3b8", "openvino-f32": "#64748b", "openvino": "#cbd5e1",
           "ncnn": "#d6a35c"}
INK, FAINT, GRID = "#1e293b", "#64748b", "#e2e8f0"
LEFT, WIDTH, RIGHT, TOP = 150, 560, 130, 74
BAR, GAP, GROUP = 13, 3, 16
MOST = 3.0
"""Times beyond this many times Sardonyx's are cut off, and marked."""


def svg(result: dict) -> str:
    """The chart of a standard comparison; engines without a time have a short remark instead of a bar."""
    groups: dict[str, list[dict]] = {}
    for row in result["rows"]:
        groups.setdefault(row["model"], []).append(row)
    longest = max((row["ratio"] or 0 for row in result["rows"]), default=1)
    span = max(1.25, min(MOST, longest) * 1.02)
    bars: list[str] = []
    labels: list[str] = []
    top = TOP
    for model, rows in groups.items():
        height = len(rows) * (BAR + GAP) - GAP
        middle = top + height / 2
        labels.append(_text(LEFT - 12, middle + 4, model, "end", 12, INK, "600"))
        for place, row in enumerate(rows):
            bar, label = _bar(row, top + place * (BAR + GAP), span)
            bars += bar
            labels.append(label)
        top += height + GROUP
    bottom = top - GROUP
    ticks = [_tick(step / 4, span, bottom) for step in range(0, int(4 * span) + 1, 2 if span > 2 else 1)]
    one = LEFT + WIDTH / span
    line = f'<line x1="{one:.1f}" y1="{TOP - 6}" x2="{one:.1f}" y2="{bottom + 4}" stroke="{COLOURS["sardonyx"]}" ' \
           'stroke-width="1.5"/>'
    machine = result["machine"]
    subtitle = f"{machine['cpu']}, {machine['threads']} threads, {machine['date'][:10]}; shorter is faster; " \
               "whiskers: 95 % interval of the ratio"
    total = LEFT + WIDTH + RIGHT
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {bottom + 34:.0f}" width="{total}" '
        f'height="{bottom + 34:.0f}" font-family="Inter, Segoe UI, Helvetica, Arial, sans-serif">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(16, 24, "Time of one run relative to Sardonyx", "start", 15, INK, "600"),
        _text(16, 42, subtitle, "start", 11, FAINT), *_legend(result["rows"]), *ticks, *bars, line, *labels, "</svg>", ""])


def _bar(row: dict, y: float, span: float) -> tuple[list[str], str]:
    if row["ratio"] is None:
        return [], _text(LEFT + 4, y + 10, f"{NAMES[row['engine']]}: {row['note'][:70]}", "start", 9.5, FAINT)

    def x(value: float) -> float:
        return LEFT + WIDTH * min(value, span) / span

    cut = row["ratio"] > span
    weight = "600" if row["engine"] == "sardonyx" else "400"
    parts = [f'<rect x="{LEFT}" y="{y:.1f}" width="{x(row["ratio"]) - LEFT:.1f}" height="{BAR}" rx="2" '
             f'fill="{COLOURS[row["engine"]]}"/>']
    end = x(row["ratio"])
    if row["engine"] != "sardonyx" and not cut:
        low, high, middle = x(row["ratio_low"]), x(row["ratio_high"]), y + BAR / 2
        end = max(end, high)
        parts.append(f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 3:.1f}v6M{high:.1f} '
                     f'{middle - 3:.1f}v6" stroke="{INK}" stroke-width="1" fill="none"/>')
    label = f"{number(row['median_ms'])} ms"
    if row["engine"] != "sardonyx":
        label += f" · {row['ratio']:.2f}×" + (" (cut off)" if cut else "")
    return parts, _text(end + 6, y + 10, label, "start", 10, INK if weight == "600" else FAINT, weight)


def _legend(rows: list[dict]) -> list[str]:
    parts, x = [], 16.0
    for engine, name in titles(rows).items():
        parts.append(f'<rect x="{x:.0f}" y="53" width="10" height="10" rx="2" fill="{COLOURS[engine]}"/>')
        parts.append(_text(x + 15, 62, name, "start", 11, INK))
        x += 34 + 6.2 * len(name)
    return parts


def _tick(value: float, span: float, bottom: float) -> str:
    x = LEFT + WIDTH * value / span
    return (f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom + 4}" stroke="{GRID}"/>'
            + _text(x, bottom + 18, f"{value:g}×", "middle", 10, FAINT))


def _text(x: float, y: float, text: str, anchor: str, size: float, colour: str, weight: str = "400") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}" '
            f'font-weight="{weight}" stroke="#ffffff" stroke-width="3" paint-order="stroke">{escape(text)}</text>')
