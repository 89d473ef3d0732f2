"""A resident engine process seen from the harness: its commands, and what /proc says of it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent
SETTLE_STEP, SETTLE_LIMIT = 0.005, 1.0  # seconds
IDLE_SHARE = 0.05  # of one CPU


class EngineFailure(Exception):
    """An engine process ended, hung or answered nonsense."""


class Resident:
    """One engine with one model; `load`, `run` and `write` block until the process answers."""

    def __init__(self, engine: str, model: Path, image: Path, input_name: str | None, threads: int, command: str):
        """`image` is the .npy of the input of that name or, without a name, an .npz of all."""
        self.engine, self.threads = engine, threads
        if engine == "sardonyx":
            arguments = [command, "bench", str(model), "--serve", "--threads", str(threads),
                         "--input", f"{input_name}={image}" if input_name else str(image)]
        else:
            arguments = [sys.executable, "-m", "peers.serve", engine, str(model), str(image), str(threads)]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        cwd=TOOLS, bufsize=0)
        self.version = self._answer(60).get("version", "")
        self.precision = ""
        self.base_bytes = self.peak_bytes()

    def _answer(self, timeout: float) -> dict:
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], timeout)
            part = self.process.stdout.read(65536) if ready else b""
            if not part:
                raise EngineFailure(f"no answer in {timeout} s" if not ready else self._last_words())
            line += part
        return json.loads(line)

    def _last_words(self) -> str:
        code = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return f"exit code {code}: {lines[-1] if lines else 'nothing said'}"

    def _ask(self, line: str, timeout: float = 300) -> dict:
        try:
            self.process.stdin.write(f"{line}\n".encode())
        except BrokenPipeError:
            raise EngineFailure(self._last_words()) from None
        return self._answer(timeout)

    def load(self) -> float:
        """Milliseconds from the file to a session that can run."""
        answer = self._ask("load")
        self.precision = answer["precision"]
        return answer["loadMilliseconds"]

    def run(self, count: int = 1) -> list[float]:
        """Milliseconds of each of `count` runs, one right after the other."""
        return self._ask(f"run {count}")["milliseconds"]

    def write(self, path: Path) -> None:
        """Writes the outputs of the last run as .npz."""
        self._ask(f"write {path}")

    def cpu_seconds(self) -> float:
        """CPU time of all threads since the start, in nanoseconds' resolution."""
        return time.clock_gettime((~self.process.pid << 3) | 2)  # the kernel's CPUCLOCK_SCHED clock of a process

    def involuntary_switches(self) -> int:
        """Involuntary context switches of all live threads."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            total += _status_field(task / "status", "nonvoluntary_ctxt_switches")
        return total

    def peak_bytes(self) -> int:
        """Peak resident memory until now."""
        return 1024 * _status_field(Path(f"/proc/{self.process.pid}/status"), "VmHWM")

    def settle(self) -> float:
        """Waits until the process no longer burns CPU (spinning threads); the CPU seconds that it burnt meanwhile."""
        start = before = self.cpu_seconds()
        limit = time.monotonic() + SETTLE_LIMIT
        while time.monotonic() < limit:
            time.sleep(SETTLE_STEP)
            now = self.cpu_seconds()
            if now - before < IDLE_SHARE * SETTLE_STEP:
                break
            before = now
        return self.cpu_seconds() - start

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def __enter__(self) -> Resident:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _status_field(path: Path, key: str) -> int:
    try:
        text = path.read_text()
    except OSError:  # a thread that just ended
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{key}:")), 0)
