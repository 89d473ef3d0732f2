#!/usr/bin/env python3
"""Runs single operators of the domain ai.onnx.ml in ONNX Runtime and in Sardonyx on the same random inputs.

Prints the largest error of each form, relative to the largest element of the output; exit code 1 when one is above the
limit or when either cannot run it. Forms where ONNX Runtime departs from the standard's text or reference are left out:
NaN at BRANCH_NEQ, the labels of two classes that both have votes, transforms of a score that stands for two classes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from check_contrib import GENERATOR, Form, floats, run_forms
from onnx import TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
TRANSFORMS = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"]
MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


@dataclass
class MLForm(Form):
    domain: str = ML
    version: int = 1
    types: tuple[int, ...] = (TensorProto.FLOAT,)

    def model(self):
        model, feeds = super().model()
        for output, dtype in zip(model.graph.output, self.types, strict=True):
            output.type.tensor_type.elem_type = dtype
        model.opset_import.append(helper.make_opsetid(ML, self.version))
        return model, feeds


def classifier(operator: str, x: np.ndarray, attributes: dict, note: str = "", version: int = 1) -> MLForm:
    labels = {"classlabels_int64s" if operator.startswith("Tree") else "classlabels_ints": attributes.pop("labels")}
    types = (TensorProto.INT64, TensorProto.FLOAT)
    note = f"{attributes.get('post_transform', '')} {note}"
    return MLForm(operator, [x], {**attributes, **labels}, [True, True], note=note, version=version, types=types)


def trees(count: int, depth: int, features: int, modes: list[str]) -> tuple[dict, list[tuple[int, int]]]:
    """Full trees in the attributes of version 1, and their leaves as (tree, node)."""
    inner, rows, leaves = 2**depth - 1, [], []
    for tree in range(count):
        for node in range(2 * inner + 1):
            if node < inner:
                mode = modes[GENERATOR.integers(len(modes))]
                value = float(GENERATOR.integers(-2, 3)) / 2
                rows.append((tree, node, GENERATOR.integers(features), mode, value, 2 * node + 1, 2 * node + 2))
            else:
                rows.append((tree, node, 0, "LEAF", 0.0, 0, 0))
                leaves.append((tree, node))
    names = ["treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids"]
    attributes = {f"nodes_{name}": list(column) for name, column in zip(names, zip(*rows), strict=True)}
    attributes["nodes_missing_value_tracks_true"] = [int(v) for v in GENERATOR.integers(0, 2, len(rows))]
    return attributes, leaves


def votes(role: str, leaves: list[tuple[int, int]], ids: list[int], positive: bool) -> dict:
    pairs = [(tree, node, target) for tree, node in leaves for target in ids]
    weights = floats(len(pairs))
    return {
        f"{role}_treeids": [p[0] for p in pairs],
        f"{role}_nodeids": [p[1] for p in pairs],
        f"{role}_ids": [p[2] for p in pairs],
        f"{role}_weights": [float(w) for w in (np.abs(weights) if positive else weights)],
    }


def tree_forms() -> list[Form]:
    x = (GENERATOR.integers(-3, 4, (40, 5)) / 2).astype(np.float32)
    holes = np.where(GENERATOR.random(x.shape) < 0.1, np.nan, x).astype(np.float32)
    result: list[Form] = []
    for aggregate in ["SUM", "AVERAGE", "MIN", "MAX"]:
        for targets, transform in [(1, "NONE"), (3, "NONE"), (3, "SOFTMAX"), (3, "LOGISTIC")]:
            nodes, leaves = trees(4, 3, 5, MODES)
            attributes = {**nodes, **votes("target", leaves, list(range(targets)), False), "n_targets": targets,
                          "aggregate_function": aggregate, "post_transform": transform,
                          "base_values": [0.5] * targets}
            result.append(MLForm("TreeEnsembleRegressor", [x], attributes, note=f"{aggregate} {targets} {transform}"))
    nodes, leaves = trees(5, 4, 5, MODES[:5])
    attributes = {**nodes, **votes("target", leaves, [0, 1], False), "n_targets": 2}
    result.append(MLForm("TreeEnsembleRegressor", [holes], attributes, note="NaN"))
    doubles = {k: v for k, v in attributes.items() if k not in ("nodes_values", "target_weights")}
    for name in ("nodes_values", "target_weights"):
        doubles[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(attributes[name], np.float64))
    result.append(MLForm("TreeEnsembleRegressor", [holes.astype(np.float64)], doubles, note="float64", version=3))
    for transform in TRANSFORMS:
        nodes, leaves = trees(4, 3, 5, MODES)
        attributes = {**nodes, **votes("class", leaves, [0, 1, 2], False), "labels": [5, 3, 9],
                      "post_transform": transform}
        result.append(classifier("TreeEnsembleClassifier", x, attributes, "3 classes"))
        attributes = {**nodes, **votes("class", leaves, [1], True), "labels": [5, 3], "post_transform": transform}
        result.append(classifier("TreeEnsembleClassifier", x, attributes, "votes for class 1, positive"))
    for positive, transform in [(True, "NONE"), (False, "LOGISTIC"), (True, "LOGISTIC")]:
        attributes = {**nodes, **votes("class", leaves, [0], positive), "labels": [5, 3], "post_transform": transform}
        result.append(classifier("TreeEnsembleClassifier", x, attributes, f"votes for class 0, positive={positive}"))
    return result + [ensemble(x, dtype, members) for dtype in (np.float32, np.float64) for members in (0, 1)]


def ensemble(x: np.ndarray, dtype: type, members: bool) -> Form:
    """TreeEnsemble of version 5: two chains of nodes whose true children are leaves."""
    count = 6
    modes = GENERATOR.integers(0, 7 if members else 6, count).astype(np.uint8)
    modes[1] = 6 if members else 0
    sets = [[1.0, 3.0, np.nan] for _ in range(int((modes == 6).sum()))]
    ends = [2, 5]
    attributes = {
        "n_targets": 2, "tree_roots": [0, 3], "aggregate_function": 1, "post_transform": 0,
        "nodes_modes": numpy_helper.from_array(modes),
        "nodes_splits": numpy_helper.from_array((GENERATOR.integers(-2, 3, count) / 2).astype(dtype)),
        "nodes_featureids": [int(v) for v in GENERATOR.integers(0, 5, count)],
        "nodes_truenodeids": list(range(count)), "nodes_trueleafs": [1] * count,
        "nodes_falsenodeids": [6 if i == 2 else 7 if i == 5 else i + 1 for i in range(count)],
        "nodes_falseleafs": [int(i in ends) for i in range(count)],
        "leaf_targetids": [0, 1, 1, 0, 1, 0, 0, 1],
        "leaf_weights": numpy_helper.from_array(floats(8).astype(dtype)),
    }  # fmt: skip
    if sets:
        attributes["membership_values"] = numpy_helper.from_array(np.concatenate(sets).astype(dtype))
    output = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    note = f"{np.dtype(dtype)} members={bool(sets)}"
    x = np.round(x) if members else x  # ONNX Runtime takes whole members only, and truncates the features.
    return MLForm("TreeEnsemble", [x.astype(dtype)], attributes, version=5, types=(output,), note=note)


def vector_forms(x: np.ndarray) -> list[Form]:
    result: list[Form] = []

    def numbers(*shape: int) -> list[float]:
        return [float(v) for v in floats(*shape).ravel()]

    for kernel in ["LINEAR", "POLY", "RBF", "SIGMOID"]:
        machine = {"kernel_type": kernel, "kernel_params": [0.3, 0.2, 3.0]}
        regressor = {**machine, "support_vectors": numbers(6, 5), "n_supports": 6, "coefficients": numbers(6),
                     "rho": [0.1]}
        result.append(MLForm("SVMRegressor", [x], regressor, note=kernel))
        three = {**machine, "support_vectors": numbers(6, 5), "vectors_per_class": [3, 1, 2], "labels": [4, 2, 7],
                 "coefficients": numbers(2, 6), "rho": numbers(3)}
        result.append(classifier("SVMClassifier", x, dict(three), kernel))
        three |= {"prob_a": numbers(3), "prob_b": numbers(3)}
        result.append(classifier("SVMClassifier", x, three, f"{kernel} probabilities"))
    two = {"kernel_type": "RBF", "kernel_params": [0.3, 0.2, 3.0], "support_vectors": numbers(6, 5),
           "vectors_per_class": [3, 3], "labels": [4, 2], "coefficients": numbers(6), "rho": [0.2]}
    result.append(classifier("SVMClassifier", x, dict(two), "two classes"))
    result.append(classifier("SVMClassifier", x, {**two, "post_transform": "LOGISTIC"}, "two classes"))
    result.append(MLForm("SVMRegressor", [x], {**regressor, "one_class": 1}, note="one class"))
    linear = {"kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 0.0], "rho": [0.1]}
    result.append(MLForm("SVMRegressor", [x], {**linear, "coefficients": numbers(5)}, note="weights"))
    weights = {**linear, "coefficients": numbers(3, 5), "labels": [4, 2, 7]}
    result.append(classifier("SVMClassifier", x, weights, "weights"))
    for transform in TRANSFORMS:
        model = {"coefficients": numbers(3, 5), "intercepts": numbers(3), "post_transform": transform}
        result.append(MLForm("LinearRegressor", [x], {**model, "targets": 3}, note=transform))
        result.append(classifier("LinearClassifier", x, {**model, "labels": [4, 2, 7]}))
    for transform in TRANSFORMS[:2]:
        model = {"coefficients": numbers(5), "intercepts": numbers(1), "post_transform": transform}
        result.append(classifier("LinearClassifier", x, {**model, "labels": [4, 2]}, "one score"))
    return result


def forms() -> list[Form]:
    x, whole = floats(7, 5), GENERATOR.integers(-3, 4, (7, 5))
    integer = (TensorProto.INT64,)
    result: list[Form] = [
        MLForm("ArrayFeatureExtractor", [x, np.array([3, 0, 0], np.int64)]),
        MLForm("ArrayFeatureExtractor", [x[0], np.array([[3, 1]], np.int64)]),
        MLForm("Binarizer", [x], {"threshold": 0.3}),
        MLForm("Scaler", [whole], {"offset": [1.0, 2.0, 3.0, 4.0, 5.0], "scale": [0.1, 0.2, 0.3, 0.4, 0.5]}),
        MLForm("Scaler", [x[None]], {"offset": [1.0], "scale": [0.1]}),
        MLForm("Imputer", [np.where(x > 1, np.nan, x).astype(np.float32)],
               {"imputed_value_floats": [1.0, 2.0, 3.0, 4.0, 5.0], "replaced_value_float": float("nan")}),
        MLForm("Imputer", [whole], {"imputed_value_int64s": [7], "replaced_value_int64": 2}, types=integer),
        MLForm("OneHotEncoder", [whole], {"cats_int64s": [2, -1, 0]}),
        MLForm("OneHotEncoder", [x * 2], {"cats_int64s": [2, -1, 0]}, note="truncated"),
        MLForm("FeatureVectorizer", [x, x[:, :2]], {"inputdimensions": [5, 2]}),
        MLForm("FeatureVectorizer", [whole, whole[:, :2]], {"inputdimensions": [3, 4]}),
        MLForm("LabelEncoder", [whole], {"keys_int64s": [2, -1, 0], "values_floats": [0.5, 1.5, 2.5],
                                         "default_float": 9.0}, version=2),
        MLForm("LabelEncoder", [np.round(x)], {"keys_floats": [1.0, 0.0, -1.0], "values_int64s": [5, 6, 7]},
               version=4, types=integer),
    ]  # fmt: skip
    for norm in ["MAX", "L1", "L2"]:
        result.append(MLForm("Normalizer", [whole], {"norm": norm}))
    return result + tree_forms() + vector_forms(x)


if __name__ == "__main__":
    sys.exit(run_forms(forms(), __doc__))
