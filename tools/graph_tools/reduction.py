"""Planted faults: reduce finds them in a large graph, with valid models on the way."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .shared import Command, Findings, checker_fault

NODES = 300
MOST_LEFT = 5
VALIDATED = 60
"""Nodes of the graphs whose every candidate onnx.checker sees: it starts a Python each."""
SHAPE = [4, 8]


def planted(bad: list[str], seed: int, count: int = NODES) -> onnx.ModelProto:
    """A graph of `count` nodes on tensors of one shape, with a fault in its middle.

    Every node reads one or two of the last values, so that the graph branches and joins; `bad` is a chain of operators.
    """
    generator = np.random.default_rng(seed)
    names, nodes, weights = ["x"], [], []
    spot = count // 3 + int(generator.integers(count // 3))
    while len(nodes) < count:
        last = [names[int(k)] for k in generator.integers(max(len(names) - 6, 0), len(names), 2)]
        if len(nodes) == spot:
            value = names[-1]
            for operator in bad:
                made = f"bad_{operator}"
                nodes.append(helper.make_node(operator, [value], [made], name=made))
                value = made
            names.append(value)
            continue
        kind = ["Sigmoid", "Tanh", "Add", "Mul", "MatMul", "Softsign"][int(generator.integers(6))]
        made = f"v{len(nodes)}"
        inputs = last if kind in ("Add", "Mul") else last[:1]
        if kind == "MatMul":
            weights.append(numpy_helper.from_array(generator.random((8, 8)).astype(np.float32) / 8, f"w{len(nodes)}"))
            inputs = [last[0], weights[-1].name]
        nodes.append(helper.make_node(kind, inputs, [made], name=f"node{len(nodes)}"))
        names.append(made)
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE)
    used = {name for node in nodes for name in node.input}
    outputs = [name for name in names[1:] if name not in used]
    graph = helper.make_graph(nodes, "planted", [value("x")], [value(name) for name in outputs], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def check(command: Command, folder: Path, findings: Findings) -> None:
    sardonyx = shlex.quote(command.path)
    not_finite = f"{sardonyx} run {{}} --threads 1 --json 2>/dev/null | grep -q '\"notFinite\" : [1-9]'"
    for seed in range(3):
        # The logarithm of a negative number.
        reduce(command, folder, findings, f"nan{seed}", planted(["Abs", "Neg", "Log"], seed), not_finite)
    script, log = folder / "holds.py", folder / "invalid.txt"
    log.unlink(missing_ok=True)
    script.write_text(f"""import sys, onnx
model = onnx.load(sys.argv[1])
try:
    onnx.checker.check_model(model, full_check=True)
except Exception as fault:
    open({str(log)!r}, "a").write(" ".join(str(fault).split()) + "\\n")
sys.exit(not any(node.op_type == "Erf" for node in model.graph.node))
""")
    holds = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} \"$MODEL\""
    for cut in ("inputs", "constants"):
        reduce(command, folder, findings, f"erf-{cut}", planted(["Erf"], 9, VALIDATED), holds, "--cut", cut)
    findings.expect(not log.exists(), "a candidate is not valid: " + (log.read_text() if log.exists() else ""))
    manners(command, folder, findings)


def reduce(command: Command, folder: Path, findings: Findings, name: str, model: onnx.ModelProto, condition: str,
           *options: str) -> None:
    path, target = folder / f"{name}.onnx", folder / f"{name}-small.onnx"
    onnx.save(model, path)
    report = command.json("reduce", path, "--while", condition, "-o", target, *options)
    left = len(onnx.load(target).graph.node)
    findings.expect(left == report["nodesAfter"] <= MOST_LEFT, f"reduce {name}: {left} nodes are left")
    findings.expect(checker_fault(target) is None, f"reduce {name}: onnx.checker: {checker_fault(target)}")
    test = condition.replace("{}", str(target))
    holds = subprocess.run(["/bin/sh", "-c", test], env=os.environ | {"MODEL": str(target)}).returncode == 0
    findings.expect(holds, f"reduce {name}: the condition does not hold for what was written")
    findings.notes.append(f"reduce {name}: {report['nodesBefore']} -> {left} nodes in {report['tries']} tries, "
                          f"{report['seconds']:.1f} s")
    print(f"  {findings.notes[-1]}", flush=True)


def manners(command: Command, folder: Path, findings: Findings) -> None:
    """Refusals, time limits, interruption."""
    path, target = folder / "manners.onnx", folder / "manners-small.onnx"
    onnx.save(planted(["Abs"], 5), path)
    refused = command.run("reduce", path, "--while", "false", "-o", target)
    findings.expect(refused.returncode == 2 and "for the model itself" in refused.stderr, f"false: {refused.stderr}")
    missing = command.run("reduce", path, "--while", "no-such-command-here {}", "-o", target)
    findings.expect(missing.returncode == 4 and "cannot find" in missing.stderr, f"missing: {missing.stderr}")
    late = command.run("reduce", path, "--while", "sleep 61 & sleep 61", "--timeout", "0.3", "-o", target)
    findings.expect(late.returncode == 2 and "no end within" in late.stderr, f"late: {late.stderr}")
    findings.expect("sleep 61" not in processes(), "a command that was out of time left processes")
    again = command.run("optimize", path, "-o", path)
    findings.expect(again.returncode == 2 and "is the input" in again.stderr, f"onto itself: {again.stderr}")

    place = folder / "temporary"
    place.mkdir(exist_ok=True)
    for old in (target, place / "slow"):
        old.unlink(missing_ok=True)
    running = subprocess.Popen([command.path, "reduce", path, "--while", "test -e slow && sleep 62; touch slow", "-o",
                                target], cwd=place, env=os.environ | {"TMPDIR": str(place)}, stdout=subprocess.PIPE,
                               text=True)
    for _ in range(200):
        if target.exists() and "sleep 62" in processes():
            break
        time.sleep(0.05)
    findings.expect(any(place.glob("sardonyx-reduce-*")), "no temporary folder while it runs")
    running.send_signal(signal.SIGINT)
    code = running.wait(20)
    findings.expect(code == 130, f"interrupted: exit code {code}")
    findings.expect("sleep 62" not in processes(), "an interrupted run left processes")
    findings.expect(not any(place.glob("sardonyx-reduce-*")), "an interrupted run left its temporary folder")
    findings.expect(checker_fault(target) is None, "an interrupted run left no model")


def processes() -> list[str]:
    """Command lines of what runs."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout.splitlines()
