"""Interleaved rounds: who runs when, what a turn costs, and which rounds other load disturbed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable, Iterator, Sequence, TypeVar

from .resident import Resident
from .stats import Paired, compare

Item = TypeVar("Item")
TICK = 1 / os.sysconf("SC_CLK_TCK")
MOST_RUNS = 20
FOREIGN_SHARE, STEAL_SHARE = 0.03, 0.02  # of the machine's CPU time during a turn, beyond two ticks
SWITCHES = 4  # involuntary context switches a turn may have above its engine's median


@dataclass(frozen=True)
class Turn:
    """One engine's turn of one round: a few runs in a row."""

    milliseconds: float
    foreign: float
    """CPU seconds of other processes during the turn."""
    steal: float
    """CPU seconds that the hypervisor gave to others during the turn."""
    wall: float
    switches: int
    spin: float
    """CPU seconds burnt after the last run until the process was idle."""


def order(items: Sequence[Item], index: int) -> list[Item]:
    """ABBA: forward in even rounds, backward in odd ones, so that drift falls on all alike."""
    return list(items) if index % 2 == 0 else list(reversed(items))


def runs_for(milliseconds: float, turn_milliseconds: float) -> int:
    """How many runs fill a turn: at least one; with more than one the first is not counted."""
    return max(1, min(MOST_RUNS, round(turn_milliseconds / max(milliseconds, 1e-3))))


def _machine_seconds() -> tuple[float, float]:
    """(busy, stolen) CPU seconds of all CPUs since the start."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _, _, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq) * TICK, steal * TICK


def take(resident: Resident, runs: int) -> Turn:
    """One turn; its time is the median of the runs after the first (of the only one)."""
    switches, own = resident.involuntary_switches(), resident.cpu_seconds()
    busy, steal = _machine_seconds()
    start = time.monotonic()
    times = resident.run(runs)
    wall = time.monotonic() - start
    own = resident.cpu_seconds() - own
    busy_after, steal_after = _machine_seconds()
    switches = resident.involuntary_switches() - switches
    return Turn(median(times[1:] or times), max(busy_after - busy - own, 0.0), steal_after - steal, wall, switches,
                resident.settle())


def disturbed(turns: Sequence[Turn], cpus: int) -> list[bool]:
    """Which of one engine's turns other load disturbed.

    Switches count against the engine's own median: an engine with more threads than CPUs preempts itself every time.
    """
    usual = median(turn.switches for turn in turns) if turns else 0
    return [turn.foreign > 2 * TICK + FOREIGN_SHARE * turn.wall * cpus
            or turn.steal > 2 * TICK + STEAL_SHARE * turn.wall * cpus
            or turn.switches > usual + SWITCHES for turn in turns]


def paired(turns: Sequence[Turn], baseline: Sequence[Turn], cpus: int) -> Paired:
    """The times of an engine's turns beside those of the baseline's, without disturbed rounds."""
    return compare([turn.milliseconds for turn in turns], disturbed(turns, cpus),
                   [turn.milliseconds for turn in baseline], disturbed(baseline, cpus))


def play(residents: Sequence[Resident], runs: Sequence[int], rounds: int,
         progress: Callable[[int], None] = lambda _: None) -> list[list[Turn]]:
    """`rounds` rounds; the answer holds one list of turns for each resident."""
    turns: list[list[Turn]] = [[] for _ in residents]
    for index in range(rounds):
        for place in order(range(len(residents)), index):
            turns[place].append(take(residents[place], runs[place]))
        progress(index + 1)
    return turns


def warm_up(residents: Sequence[Resident], count: int, turn_milliseconds: float) -> Iterator[int]:
    """Runs everyone `count` times; yields how many runs each takes in a turn."""
    for resident in residents:
        times = resident.run(count)
        resident.settle()
        yield runs_for(median(times), turn_milliseconds)
