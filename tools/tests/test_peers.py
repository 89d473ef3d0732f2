"""The statistics and the protocol of tools/bench-peers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from peers import chart, report
from peers.rounds import Turn, disturbed, order, runs_for
from peers.standard import output_error
from peers.stats import compare, keep, paired_ratio
from peers.subjects import _evaluated

TOOLS = Path(__file__).resolve().parents[1]


def turn(**values) -> Turn:
    return Turn(**{"milliseconds": 10.0, "foreign": 0.0, "steal": 0.0, "wall": 0.1, "switches": 0, "spin": 0.0} | values)


def test_rounds_go_forward_then_backward():
    assert [order("ABC", index) for index in range(4)] == [list("ABC"), list("CBA"), list("ABC"), list("CBA")]


def test_a_turn_holds_at_least_one_run_and_at_most_twenty():
    assert [runs_for(ms, 60) for ms in (300, 60, 20, 0.5, 0)] == [1, 1, 3, 20, 20]


def test_load_steal_and_switches_flag_a_turn():
    turns = [turn(), turn(foreign=0.2), turn(steal=0.1), turn(switches=9), turn()]
    assert disturbed(turns, cpus=2) == [False, True, True, True, False]


def test_an_engine_that_always_preempts_itself_is_not_flagged_for_it():
    assert not any(disturbed([turn(switches=50), turn(switches=52), turn(switches=49)], cpus=2))


def test_a_round_counts_only_when_both_turns_were_quiet():
    assert keep([False, True, False, False], [False, False, True, False]) == [0, 3]


def test_disturbed_rounds_are_dropped_and_counted():
    times, baseline = [20.0] * 8 + [500.0] * 2, [10.0] * 10
    result = compare(times, [False] * 8 + [True] * 2, baseline, [False] * 10)
    assert (result.median, result.ratio, result.kept, result.dropped, result.note) == (20.0, 2.0, 8, 2, "")


def test_too_few_quiet_rounds_are_said():
    result = compare([20.0] * 6, [True] * 4 + [False] * 2, [10.0] * 6, [False] * 6)
    assert (result.kept, result.dropped) == (6, 0)
    assert "4 of 6" in result.note


def test_pairing_removes_common_drift():
    drift = np.linspace(1, 3, 40)
    ratio, (low, high) = paired_ratio(2 * drift, drift)
    assert ratio == pytest.approx(2) and low == pytest.approx(2) and high == pytest.approx(2)


def test_interval_covers_the_true_ratio_about_95_times_in_100():
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(60):
        times, baseline = generator.lognormal(np.log(1.5), 0.1, 30), generator.lognormal(0, 0.1, 30)
        _, (low, high) = paired_ratio(times, baseline)
        covered += low <= 1.5 <= high
    assert covered >= 50  # 57 expected; fewer than 50 has a probability below 1e-3


def test_interval_is_reproducible():
    times, baseline = np.random.default_rng(0).random((2, 30)) + 1
    assert paired_ratio(times, baseline) == paired_ratio(times, baseline)


def test_error_is_relative_to_the_largest_value_and_missing_outputs_are_named(tmp_path):
    np.savez(tmp_path / "o.npz", a=np.array([1.0, 4.04]), b=np.zeros((3, 2)))
    reference = {"a": np.array([[1.0, 4.0]]), "b": np.zeros((1, 3, 2)), "c": np.ones(2)}
    error, missing = output_error(tmp_path / "o.npz", reference)
    assert error == pytest.approx(0.01) and missing == ["c"]
    assert output_error(tmp_path / "o.npz", {"b": np.zeros((2, 3))})[0] == float("inf")


def small_model(path: Path) -> None:
    from onnx import TensorProto, helper, numpy_helper, save

    weights = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 8, 8])], [numpy_helper.from_array(weights, "w")])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_a_resident_peer_answers_and_agrees_with_the_float64_reference(tmp_path):
    small_model(tmp_path / "m.onnx")
    image = np.random.default_rng(2).standard_normal((1, 3, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", image)
    done = subprocess.run(
        [sys.executable, "-m", "peers.serve", "onnxruntime", tmp_path / "m.onnx", tmp_path / "x.npy", "1"], cwd=TOOLS,
        input=f"load\nrun 3\nwrite {tmp_path / 'o.npz'}\n", capture_output=True, text=True, check=True)
    hello, loaded, ran, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert hello["engine"] == "onnxruntime" and loaded["loadMilliseconds"] > 0 and len(ran["milliseconds"]) == 3
    reference = _evaluated(tmp_path / "m.onnx", image.astype(np.float64))
    assert reference["y"].dtype == np.float64
    error, missing = output_error(tmp_path / "o.npz", reference)
    assert error < 1e-6 and not missing


def result() -> dict:
    row = {"model": "m", "engine": "sardonyx", "version": "1", "precision": "f32", "median_ms": 12.5, "iqr_ms": 0.5, "ratio": 1.0,
           "ratio_low": 1.0, "ratio_high": 1.0, "peak_percent": 50.0, "load_ms": 10.0, "first_run_ms": 20.0,
           "base_rss_mb": 20.0, "peak_rss_mb": 100.0, "error": 1e-6, "rounds": 30, "dropped": 0, "note": ""}
    failed = {key: None for key in row} | {"model": "m", "engine": "ncnn", "version": "", "precision": "", "rounds": 0, "dropped": 0,
                                           "note": "not measured: <no>"}
    machine = {"cpu": "CPU", "cpus": 2, "isa": "avx2", "kernel": "6", "threads": 2, "fma_gmacs": 100.0,
               "read_gbs": 20.0, "date": "2026-01-02 03:04 UTC"}
    return {"scenario": "standard", "command": "tools/bench-peers", "machine": machine, "rows": [row, failed]}


def test_table_says_why_a_row_has_no_figures():
    text = report.standard(result())
    assert "| ncnn fp32 [1] | – |" in text and "\n[1] not measured: <no>.\n" in text
    assert "100 GMAC/s" in text


def test_chart_is_well_formed_and_names_what_failed():
    from xml.etree import ElementTree

    texts = [element.text for element in ElementTree.fromstring(chart.svg(result())).iter() if element.text]
    assert "12.5 ms" in texts and any("not measured: <no>" in text for text in texts)
