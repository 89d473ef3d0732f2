#!/usr/bin/env python3
"""Exports networks of the model zoo (seeded random weights) with both exporters: NAME.onnx and NAME_dynamo.onnx."""

from __future__ import annotations

import argparse
from pathlib import Path

from model_zoo import MODELS, Entry
from onnx_export import EXPORTERS, export


def file_name(name: str, exporter: str) -> str:
    return f"{name}.onnx" if exporter == "torchscript" else f"{name}_{exporter}.onnx"


def export_entry(entry: Entry, path: Path, exporter: str) -> None:
    """Writes one network of the zoo."""
    export(entry.build(), entry.example(), path, exporter=exporter, outputs=list(entry.outputs),
           dynamic=entry.dynamic, metadata=entry.metadata)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(MODELS)}")
    parser.add_argument("--exporter", choices=EXPORTERS, action="append", help="default: both")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MODELS]
    if unknown:
        parser.error(f"no such network: {', '.join(unknown)}; got a choice of {', '.join(MODELS)}")
    for name in options.names or MODELS:
        for exporter in options.exporter or EXPORTERS:
            path = options.out / file_name(name, exporter)
            export_entry(MODELS[name], path, exporter)
            print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
