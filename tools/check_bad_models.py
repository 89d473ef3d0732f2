"""Runs `sardonyx run` on every model of a folder written by make_bad_models.py and holds the outcome to what it deserves.

    check_bad_models.py COMMAND FOLDER
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import numpy

SECONDS = 25
ADDRESS_SPACE = 8 << 30
EXIT_CODES = {"usage": 2, "input": 4, "image": 4, "value": 4, "limit": 5, "deadline": 5, "cancelled": 5}

# First match wins: names of models and the classes that are right for them ("ok": accepted).
EXPECTED = [
    ("ok_conv ext_ok name_nfc_nfd idiv_min conv_batch0 reducemax_empty softmax_empty nms_max nms_nan topk_zero", "ok"),
    ("slice_min cast_nan", "ok"),
    ("conv_stride_huge", "ok shape"),
    ("argmax_empty", "value"),
    ("empty trunc random lfs_pointer", "parse"),
    ("deep_type_* cos_2p40 cos_overflow cos_const_2p40 tile_huge expand_huge pad_huge onehot_huge", "limit"),
    ("range_huge resize_1e9", "limit"),
    ("reshape_overflow conv_pad_huge", "limit shape"),
    ("loop_*", "limit deadline unsupported"),
    ("opset_99 ir_99 unknown_op", "unsupported"),
    ("init_dtype_*", "tensor unsupported"),
    ("init_*", "tensor"),
    ("ext_len_mismatch", "external tensor"),
    ("ext_*", "external"),
    ("nodes_2M_empty no_graph no_opset missing_input cycle dup_* output_missing name_*", "graph"),
    ("declared_* attr_type_wrong concat_noaxis", "shape graph"),
    ("resize_tiny", "ok value shape"),
    ("resize_* range_* gather_axis9", "value shape"),
    ("gather_* scatter* topk_* nms_neg idiv_zero* imod_zero", "value"),
    ("conv_* reshape_* concat_* transpose_* maxpool_* slice_* split_*", "shape"),
    ("cos_neg tile_neg expand_bad pad_*", "shape value"),
]


def expected(name):
    return next(classes.split() for patterns, classes in EXPECTED if any(fnmatch(name, p) for p in patterns.split()))


def tensor(kind, value):
    if kind == "f":
        return numpy.random.default_rng(0).random(value, dtype=numpy.float32)
    if kind == "nan":
        return numpy.full(value, numpy.nan, numpy.float32)
    return numpy.array(value, numpy.float32 if kind in ("fv", "fs") else numpy.int64)


def run(command, model, feeds):
    """Exit code (None: hang), standard error, seconds, peak resident MiB."""
    arguments = [command, "run", model, "--timeout", str(SECONDS - 5), "--threads", "1"]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        if feeds:
            numpy.savez(f"{folder}/feeds.npz", **{name: tensor(*value) for name, value in feeds.items()})
            arguments += ["--input", f"{folder}/feeds.npz"]
        start = time.monotonic()
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE)),
        )
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace").strip()
        return None if seconds >= SECONDS else process.returncode, text, seconds, usage.ru_maxrss / 1024


def judge(code, text, wanted):
    """Outcome (class of the error, ok, CRASH or HANG) and what is wrong with it."""
    if code is None:
        return "HANG", "no answer"
    if code == 0:
        return "ok", "" if "ok" in wanted else "accepted, not " + "/".join(wanted)
    if code < 0 or code >= 70:
        return "CRASH", f"exit {code}"
    kind = text.partition(":")[0] if re.match(r"\w+: ", text) else "?"
    if kind not in wanted:
        return kind, f"{kind}, not " + "/".join(wanted)
    if code != EXIT_CODES.get(kind, 3):
        return kind, f"exit {code}, not {EXIT_CODES.get(kind, 3)}"
    return kind, "" if "\n" not in text else "more than one line"


def main(command, folder):
    feeds = json.loads(Path(folder, "feeds.json").read_text())

    def check(name):
        code, text, seconds, peak = run(command, f"{folder}/{name}.onnx", feeds[name])
        return name, code, text.replace(f"{folder}/", ""), seconds, peak, *judge(code, text, expected(name))

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(check, sorted(feeds)))
    for name, code, text, seconds, peak, kind, fault in rows:
        line = text.splitlines()[0][:150] if text else ""
        print(f"{name:24} {code!s:>4} {kind:12} {seconds:6.2f} s {peak:6.0f} MiB  {line}" + f"  <-- {fault}" * bool(fault))
    print("  ".join(f"{kind} {count}" for kind, count in Counter(row[5] for row in rows).most_common()))
    faults = sum(bool(row[6]) for row in rows)
    print(f"{len(rows)} models, {faults} not as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
