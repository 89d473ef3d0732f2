"""A peer as a resident process: the protocol of `sardonyx bench --serve`. Usage: -m peers.serve ENGINE MODEL INPUT THREADS
INPUT is the .npy of the only input or, for ONNX Runtime, an .npz of all.

Each line of standard input (load, run, run N, write FILE.npz) is answered by one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from .engines import ENGINES


def main() -> None:
    name, model, image, threads = sys.argv[1], Path(sys.argv[2]), np.load(sys.argv[3]), int(sys.argv[4])
    if sys.argv[3].endswith(".npz"):
        image = dict(image)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an engine prints must not come between the answers
    engine = ENGINES[name](threads)

    def answer(**values) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    answer(engine=name, version=engine.version)
    outputs: dict[str, np.ndarray] = {}
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "load":
            start = time.perf_counter()
            engine.load(model, image)
            time_taken = time.perf_counter() - start
            answer(loadMilliseconds=1e3 * time_taken, precision=engine.precision)
        elif command == "run":
            times = []
            for _ in range(int(argument or 1)):
                outputs = {}
                start = time.perf_counter()
                outputs = engine.run()
                times.append(1e3 * (time.perf_counter() - start))
            answer(milliseconds=times)
        elif command == "write":
            np.savez(argument, **outputs)
            answer(written=argument)
        else:
            sys.exit(f"no such command: {line!r}")


if __name__ == "__main__":
    main()
