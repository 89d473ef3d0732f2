#!/usr/bin/env python3
"""Writes Sources/Passes/OperatorHistory.swift: the versions of the standard's operators, and what each one changed.

The schemas of the package onnx say what changed in signatures and element types. Two lists here say what they do not:
versions whose additions leave a node that does not use them as it was, and versions with the same signature whose words
give it another meaning.

Examples:
  tools/operator-history
  tools/operator-history --check     says whether the file is what would be written; exit code 1 when it is not
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import onnx.defs
import onnx.helper

TARGET = Path(__file__).resolve().parent.parent / "Sources" / "Passes" / "OperatorHistory.swift"
WIDTH = 103
DTYPES = {"float": "float32", "double": "float64"}

# Versions that only add what a node of the version before does not use: the default is the old meaning.
ADDITIONS = {
    ("ArgMax", 12), ("ArgMin", 12), ("AveragePool", 19), ("BatchNormalization", 15), ("Cast", 19), ("Cast", 24),
    ("CastLike", 19), ("CastLike", 24), ("Constant", 12), ("DequantizeLinear", 13), ("DequantizeLinear", 19),
    ("DequantizeLinear", 21), ("DequantizeLinear", 23), ("GRU", 14), ("GatherND", 12), ("Identity", 14), ("LSTM", 14),
    ("LpPool", 18), ("OptionalHasElement", 18), ("Pad", 18), ("Pow", 12), ("QLinearMatMul", 21), ("QuantizeLinear", 13),
    ("QuantizeLinear", 19), ("QuantizeLinear", 21), ("QuantizeLinear", 23), ("RNN", 14), ("Reshape", 14),
    ("Resize", 13), ("Resize", 18), ("ScatterElements", 16), ("ScatterND", 16), ("Shape", 15),
}
# Versions with an equal signature that mean something else for some nodes.
MEANINGS = {
    ("ConvTranspose", 11): "output_shape and auto_pad mean something else",
    ("DepthToSpace", 28): "described anew",
    ("Gemm", 6): "input C broadcasts differently",
    ("Mod", 28): "described anew",
    ("OneHot", 11): "negative indices count from the end",
    ("PRelu", 7): "the slope broadcasts differently",
}


def signature(schema) -> dict:
    attributes = {}
    for name, attribute in schema.attributes.items():
        default = attribute.default_value
        value = repr(onnx.helper.get_attribute_value(default)) if default.name else None
        attributes[name] = (str(attribute.type), attribute.required, value)
    return {
        "attribute": attributes,
        "input": {(i, p.name): (p.option.name, p.type_str, p.is_homogeneous) for i, p in enumerate(schema.inputs)},
        "output": {(i, p.name): (p.option.name, p.type_str, p.is_homogeneous) for i, p in enumerate(schema.outputs)},
        "counts": (schema.min_input, schema.max_input, schema.min_output, schema.max_output),
    }


def described(old, new) -> str:
    """In words, what differs between two signatures."""
    before, after = signature(old), signature(new)
    words = []
    for what in ("attribute", "input", "output"):
        names = lambda keys: " ".join(sorted(key if isinstance(key, str) else key[1] for key in keys))
        gone, come = before[what].keys() - after[what].keys(), after[what].keys() - before[what].keys()
        both = [key for key in before[what] if key in after[what] and before[what][key] != after[what][key]]
        words += [f"{what} {names(gone)} is gone"] * bool(gone) + [f"{what} {names(come)} is new"] * bool(come)
        words += [f"{what} {names(both)} differs"] * bool(both)
    return ", ".join(words) or "element types differ"


def element_types(schema) -> dict[str, set[str]]:
    return {c.type_param_str: set(c.allowed_type_strs) for c in schema.type_constraints}


def short(kind: str) -> str:
    """tensor(float) is float32; kinds of values are named by their kind."""
    head, _, rest = kind.partition("(")
    if head != "tensor":
        return {"seq": "sequence"}.get(head, head)
    name = rest.rstrip(")")
    return DTYPES.get(name, name)


def change(name: str, old, new) -> str:
    """One version as the table writes it: N+types, N=, N~what."""
    version = new.since_version
    if new.deprecated:
        return f"{version}~the operator is deprecated"
    if (name, version) in MEANINGS:
        return f"{version}~{MEANINGS[name, version]}"
    before, after = element_types(old), element_types(new)
    if (name, version) in ADDITIONS:
        return f"{version}^{described(old, new)}"
    if signature(old) != signature(new) or before.keys() != after.keys() or any(before[k] - after[k] for k in before):
        return f"{version}~{described(old, new)}"
    added = sorted({short(kind) for key in before for kind in after[key] - before[key]})
    return f"{version}+{' '.join(added)}" if added else f"{version}^described anew"


def history() -> list[str]:
    schemas: dict[tuple[str, str], dict[int, object]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain in ("", "ai.onnx.ml"):
            schemas.setdefault((schema.domain, schema.name), {})[schema.since_version] = schema
    lines = []
    for (domain, name), versions in sorted(schemas.items()):
        order = [versions[number] for number in sorted(versions)]
        parts = [str(order[0].since_version)] + [change(name, old, new) for old, new in zip(order, order[1:])]
        line = f"{domain + '.' if domain else ''}{name}:"
        for part in parts:
            for word in f" {part};".split(" ")[1:]:
                if len(line) + 1 + len(word) > WIDTH:
                    lines.append(line + " \\")
                    line = "    " + word
                else:
                    line += " " + word
        lines.append(line)
    return lines


def text() -> str:
    body = "\n".join("        " + line for line in history())
    return f'''/// How the standard's operators changed, from the schemas of onnx {onnx.__version__}; written by `tools/operator-history`.
///
/// A line an operator: the version that it came with, then each version that changed it. `N+types` takes more element
/// types or kinds of values; `N^what` adds what older nodes do without; `N~what` means something else.
enum OperatorHistory {{
    static let table = """
{body}
        """
}}
'''


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    wanted = text()
    if options.check:
        if TARGET.read_text() != wanted:
            print(f"operator-history: {TARGET.name} is not what would be written; run tools/operator-history")
            return 1
        return 0
    TARGET.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
