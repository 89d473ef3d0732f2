"""Scenarios beside the standard comparison: threads, batch, sizes, contended, idle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Iterator

from .resident import EngineFailure, Resident
from .rounds import Turn, order, paired, play, take, warm_up
from .standard import Settings, start
from .stats import Paired
from .subjects import ConversionFailure, Subject, prepare

BATCHES, SIZES = (1, 2, 4, 8), (550, 400, 700)
IDLE_SECONDS = 10.0
CONTENDED_TURN = 300.0  # milliseconds: many scheduler slices
BURNER = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); print(flush=True)\nwhile True: pass"


@dataclass
class Outcome:
    """One figure of one engine: a time, and its ratio to what the scenario compares it with."""

    model: str
    engine: str
    variant: str
    median_ms: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    cpu_seconds: float | None = None
    rounds: int = 0
    dropped: int = 0
    version: str = ""
    note: str = ""

    def fill(self, figures: Paired, scale: float = 1.0) -> None:
        """`scale` multiplies the ratio: units of the baseline per unit of this variant."""
        self.median_ms, self.ratio = figures.median, scale * figures.ratio
        self.ratio_low, self.ratio_high = (scale * edge for edge in figures.interval)
        self.rounds, self.dropped, self.note = figures.kept, figures.dropped, figures.note


@dataclass(frozen=True)
class Variant:
    label: str
    subject: Subject
    threads: int
    units: float
    """Images or pixels of one run: ratios are of the time per unit."""


def _variants(engine: str, variants: list[Variant], settings: Settings) -> Iterator[Outcome]:
    """One engine in several variants, interleaved; ratios refer to the first one."""
    outcomes = [Outcome(each.subject.name, engine, each.label) for each in variants]
    with ExitStack() as stack:
        try:
            residents = [stack.enter_context(_loaded(each.subject, engine, settings, each.threads))
                         for each in variants]
            runs = list(warm_up(residents, settings.warm_up, settings.turn_milliseconds))
            turns = play(residents, runs, settings.rounds)
        except (EngineFailure, ConversionFailure) as fault:
            for outcome in outcomes:
                outcome.note = f"not measured: {fault}"
            yield from outcomes
            return
        for outcome, resident, variant, taken in zip(outcomes, residents, variants, turns):
            outcome.version = resident.version
            outcome.fill(paired(taken, turns[0], settings.cpus), variants[0].units / variant.units)
            yield outcome


def _loaded(subject: Subject, engine: str, settings: Settings, threads: int) -> Resident:
    resident = start(subject, engine, settings, threads)
    try:
        resident.load()
        resident.run()
    except EngineFailure:
        resident.close()
        raise
    return resident


def threads(models: tuple[str, ...], settings: Settings, cache: Path) -> Iterator[Outcome]:
    """All threads (the baseline) and one: the ratio of `1 thread` is the speed-up."""
    for name in models:
        subject = prepare(name, cache)
        variants = [Variant(f"{count} thread{'s' * (count > 1)}", subject, count, 1)
                    for count in dict.fromkeys((settings.threads, 1))]
        for engine in settings.engines:
            yield from _variants(engine, variants, settings)


def batch(models: tuple[str, ...], settings: Settings, cache: Path) -> Iterator[Outcome]:
    """Batches of a model with a symbolic batch axis: time per image against one image."""
    for name in models:
        _, *rest = prepare(name, cache).shape
        variants = [Variant(f"batch {count}", prepare(name, cache, (count, *rest)), settings.threads, count)
                    for count in BATCHES]
        for engine in settings.engines:
            yield from _variants(engine, variants, settings)


def sizes(models: tuple[str, ...], settings: Settings, cache: Path) -> Iterator[Outcome]:
    """Square inputs of a model with symbolic height and width: time per pixel against the first size."""
    for name in models:
        variants = [Variant(f"{size} x {size}", prepare(name, cache, (1, 3, size, size)), settings.threads, size * size)
                    for size in SIZES]
        for engine in settings.engines:
            yield from _variants(engine, variants, settings)


def contended(models: tuple[str, ...], settings: Settings, cache: Path) -> Iterator[Outcome]:
    """Each engine alone and beside an endless loop that is pinned to one CPU: the ratio is the slowdown."""
    for name in models:
        subject = prepare(name, cache)
        with ExitStack() as stack:
            residents, failed = _start_all(subject, settings, stack)
            burner = stack.enter_context(_Burner(min(os.sched_getaffinity(0))))
            runs = list(warm_up(residents, settings.warm_up, CONTENDED_TURN))
            alone: list[list[Turn]] = [[] for _ in residents]
            beside: list[list[Turn]] = [[] for _ in residents]
            for index in range(settings.rounds):
                for place in order(range(len(residents)), index):
                    alone[place].append(take(residents[place], runs[place]))
                    with burner.burning():
                        beside[place].append(take(residents[place], runs[place]))
            for resident, quiet, loud in zip(residents, alone, beside):
                outcome = Outcome(name, resident.engine, "beside a busy CPU", version=resident.version)
                # The loop itself is foreign load, so only steal can flag a turn beside it.
                loud = [replace(turn, foreign=0.0, switches=0) for turn in loud]
                outcome.fill(paired(loud, quiet, settings.cpus))
                yield outcome
            yield from failed


def idle(models: tuple[str, ...], settings: Settings, cache: Path) -> Iterator[Outcome]:
    """CPU seconds that a loaded engine burns in the ten seconds after a run, spinning included."""
    for name in models:
        subject = prepare(name, cache)
        with ExitStack() as stack:
            residents, failed = _start_all(subject, settings, stack)
            for resident in residents:
                resident.run(settings.warm_up)
                before, end = resident.cpu_seconds(), time.monotonic() + IDLE_SECONDS
                time.sleep(max(0.0, end - time.monotonic()))
                yield Outcome(name, resident.engine, f"idle for {IDLE_SECONDS:.0f} s", version=resident.version,
                              cpu_seconds=resident.cpu_seconds() - before, rounds=1)
            yield from failed


def _start_all(subject: Subject, settings: Settings, stack: ExitStack) -> tuple[list[Resident], list[Outcome]]:
    residents, failed = [], []
    for engine in settings.engines:
        try:
            residents.append(stack.enter_context(_loaded(subject, engine, settings, settings.threads)))
        except (EngineFailure, ConversionFailure) as fault:
            failed.append(Outcome(subject.name, engine, "", note=f"not measured: {fault}"))
    return residents, failed


class _Burner:
    """A process that keeps one CPU busy while `burning`, and is stopped otherwise."""

    def __init__(self, cpu: int):
        self.process = subprocess.Popen([sys.executable, "-c", BURNER, str(cpu)], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.process.send_signal(signal.SIGSTOP)

    def burning(self) -> ExitStack:
        stack = ExitStack()
        self.process.send_signal(signal.SIGCONT)
        stack.callback(self.process.send_signal, signal.SIGSTOP)
        return stack

    def __enter__(self) -> _Burner:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


SCENARIOS = {"threads": (threads, ("yolact_resnet50",)), "batch": (batch, ("yolact_resnet50_dynbatch",)),
             "sizes": (sizes, ("yolact_resnet50_dynshape",)), "contended": (contended, ("yolact_resnet50",)),
             "idle": (idle, ("yolact_resnet50",))}
"""Name -> what runs it, and the models it takes by default."""
