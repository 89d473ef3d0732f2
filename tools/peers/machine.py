"""What the measurements ran on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """The CPU and its measured limits with the measurement's number of threads."""

    cpu: str
    cpus: int
    kernel: str
    threads: int
    fma_gmacs: float
    """float32 multiply-adds per second / 1e9, all threads together, by `sardonyx doctor` at the start."""
    read_gbs: float
    """Bytes per second / 1e9 read from 64 MiB per thread: memory, or a large last-level cache."""
    isa: str
    load_average: float
    date: str


def describe(command: str, threads: int) -> Machine:
    """Runs the peak test on as many CPUs as there are threads."""
    cpus = sorted(os.sched_getaffinity(0))
    done = subprocess.run([command, "doctor", "--json"], capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus[:threads]))
    if done.returncode != 0:
        sys.exit(f"bench-peers: sardonyx doctor: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    return Machine(report["cpu"], len(cpus), platform.release(), threads, round(report["fmaGMACsPerSecond"], 1),
                   round(report["readGBPerSecond"], 1), report["isaUsed"], round(os.getloadavg()[0], 2),
                   f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC")


def multiply_accumulates(command: str, model: Path) -> int | None:
    """MACs of one run by direct convolution, by `sardonyx inspect`; None where the shapes are open."""
    done = subprocess.run([command, "inspect", str(model), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout).get("multiplyAccumulates") if done.returncode == 0 else None
