"""The standard comparison: every engine on every model; one row for each pair."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Sequence

import numpy as np

from .resident import EngineFailure, Resident
from .rounds import Turn, paired, play, warm_up
from .subjects import ConversionFailure, Subject


@dataclass(frozen=True)
class Settings:
    """What every measurement is told."""

    command: str
    engines: tuple[str, ...]
    threads: int
    rounds: int
    warm_up: int
    loads: int
    turn_milliseconds: float
    cpus: int
    fma_gmacs: float


@dataclass
class Row:
    """One engine on one model. Times in milliseconds, memory in megabytes (10^6 bytes)."""

    model: str
    shape: str
    engine: str
    threads: int
    version: str = ""
    precision: str = ""
    median_ms: float | None = None
    q1_ms: float | None = None
    q3_ms: float | None = None
    iqr_ms: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    peak_percent: float | None = None
    load_ms: float | None = None
    first_run_ms: float | None = None
    base_rss_mb: float | None = None
    peak_rss_mb: float | None = None
    error: float | None = None
    reference: str = ""
    spin_ms: float | None = None
    rounds: int = 0
    dropped: int = 0
    note: str = ""


def start(subject: Subject, engine: str, settings: Settings, threads: int | None = None) -> Resident:
    """A process with the engine imported and nothing loaded; the model's file is read once before, so that it is in
    the page cache for every engine alike."""
    model = subject.for_engine(engine)
    for path in (model, model.with_suffix(".bin")):
        if path.exists():
            path.read_bytes()
    return Resident(engine, model, subject.image, subject.input_name, threads or settings.threads, settings.command)


def output_error(path: Path, reference: dict[str, np.ndarray]) -> tuple[float, list[str]]:
    """The greatest max|a - b| / max|b| over the outputs, and the names of those that are missing.

    An engine that drops the batch axis is given it back; other differences of shape count as infinite.
    """
    worst, missing = 0.0, []
    with np.load(path) as file:
        for name, expected in reference.items():
            if name not in file.files:
                missing.append(name)
                continue
            found = file[name].astype(np.float64)
            if found.shape != expected.shape and (1, *found.shape) != expected.shape:
                return float("inf"), missing
            scale = max(float(np.abs(expected).max(initial=0)), 1e-30)
            worst = max(worst, float(np.abs(found.reshape(expected.shape) - expected).max(initial=0)) / scale)
    return (worst if np.isfinite(worst) else float("inf")), missing


def measure(subject: Subject, settings: Settings, macs: int | None) -> list[Row]:
    """The rows of one model; an engine that fails has a row with a note and no figures."""
    rows = [Row(subject.name, "x".join(map(str, subject.shape)), engine, settings.threads)
            for engine in settings.engines]
    with ExitStack() as stack:
        playing: list[tuple[Row, Resident]] = []
        for row in rows:
            try:
                playing.append((row, stack.enter_context(_cold(subject, row, settings))))
            except (EngineFailure, ConversionFailure) as fault:
                row.note = f"not measured: {fault}"
        residents = [resident for _, resident in playing]
        runs = list(warm_up(residents, settings.warm_up, settings.turn_milliseconds))
        _errors(subject, playing)
        turns = play(residents, runs, settings.rounds, lambda done: _progress(subject, done, settings.rounds))
        for (row, resident), taken in zip(playing, turns):
            row.peak_rss_mb = round(resident.peak_bytes() / 1e6, 1)
            _fill(row, taken, turns[0], settings, macs)
    return rows


def _cold(subject: Subject, row: Row, settings: Settings) -> Resident:
    """Loads in fresh processes, `settings.loads` times; the last one stays."""
    loads, firsts = [], []
    for index in range(settings.loads):
        resident = start(subject, row.engine, settings)
        try:
            loads.append(resident.load())
            firsts.append(resident.run()[0])
        except EngineFailure:
            resident.close()
            raise
        if index + 1 < settings.loads:
            resident.close()
    row.version, row.precision = resident.version, resident.precision
    row.load_ms, row.first_run_ms = round(median(loads), 1), round(median(firsts), 2)
    row.base_rss_mb = round(resident.base_bytes / 1e6, 1)
    return resident


def _errors(subject: Subject, playing: list[tuple[Row, Resident]]) -> None:
    reference, source = subject.reference()
    with tempfile.TemporaryDirectory() as folder:
        for row, resident in playing:
            path = Path(folder) / f"{row.engine}.npz"
            resident.write(path)
            row.error, missing = output_error(path, reference)
            row.reference = source
            if missing:
                row.note = f"without the output {', '.join(missing)}"


def _fill(row: Row, turns: list[Turn], baseline: list[Turn], settings: Settings, macs: int | None) -> None:
    figures = paired(turns, baseline, settings.cpus)
    row.median_ms, (row.q1_ms, row.q3_ms) = figures.median, figures.quartiles
    row.iqr_ms = row.q3_ms - row.q1_ms
    row.ratio, (row.ratio_low, row.ratio_high) = figures.ratio, figures.interval
    row.rounds, row.dropped = figures.kept, figures.dropped
    row.spin_ms = 1e3 * median(turn.spin for turn in turns)
    row.note = "; ".join(filter(None, [row.note, figures.note]))
    if macs and settings.fma_gmacs:
        row.peak_percent = 100 * macs / (row.median_ms * 1e6) / settings.fma_gmacs


def _progress(subject: Subject, done: int, rounds: int) -> None:
    if sys.stderr.isatty():
        end = "\r\x1b[K" if done == rounds else ""
        print(f"\r{subject.label}: round {done} of {rounds}{end}", end="", file=sys.stderr, flush=True)


def as_json(rows: Sequence[object]) -> list[dict]:
    """Dataclass rows with their figures rounded to five digits."""
    return [{key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in asdict(row).items()}
            for row in rows]
