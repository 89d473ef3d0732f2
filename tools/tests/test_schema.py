"""Holds schemas/onnx.proto, and the C code generated from it, against the descriptor in the PyPI package onnx."""

import pathlib
import re
import shutil
import subprocess

import pytest

onnx = pytest.importorskip("onnx")
from google.protobuf import descriptor_pb2
from onnx import onnx_ml_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED = (ROOT / "Sources/COnnx/onnx.pb-c.c", ROOT / "Sources/COnnx/include/onnx.pb-c.h")


def facts(messages, enums, scope=""):
    """Every enum value and field below a scope, as {full name: what the wire format depends on}."""
    found = {}
    for enum in enums:
        for value in enum.value:
            found[f"{scope}{enum.name}.{value.name}"] = value.number
    for message in messages:
        inner = f"{scope}{message.name}."
        for field in message.field:
            oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
            found[inner + field.name] = (
                field.number, field.label, field.type, field.type_name, field.options.packed, oneof)
        found |= facts(message.nested_type, message.enum_type, inner)
    return found


@pytest.fixture(scope="module")
def standard():
    file = descriptor_pb2.FileDescriptorProto()
    onnx_ml_pb2.DESCRIPTOR.CopyToProto(file)
    return file


def test_schema_has_the_standards_names_and_numbers(standard, tmp_path):
    protoc = shutil.which("protoc") or shutil.which("protoc-c")
    if protoc is None:
        pytest.skip("neither protoc nor protoc-c is installed")
    compiled = tmp_path / "onnx.descriptor"
    subprocess.run(
        [protoc, f"--proto_path={ROOT / 'schemas'}", f"--descriptor_set_out={compiled}", "onnx.proto"], check=True)
    ours = descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes()).file[0]
    assert ours.package == standard.package
    assert facts(ours.message_type, ours.enum_type) == facts(standard.message_type, standard.enum_type)


def test_generated_code_is_current(tmp_path):
    if shutil.which("protoc-c") is None:
        pytest.skip("protoc-c is not installed")
    subprocess.run(["protoc-c", f"--proto_path={ROOT / 'schemas'}", f"--c_out={tmp_path}", "onnx.proto"], check=True)
    for committed in GENERATED:
        assert committed.read_text() == (tmp_path / committed.name).read_text(), committed.name


def test_importer_knows_the_newest_versions():
    limits = (ROOT / "Sources/OnnxImport/SupportedVersions.swift").read_text()
    assert int(re.search(r"irVersion = (\d+)", limits)[1]) >= onnx.IR_VERSION
    assert int(re.search(r"Domains.onnx: (\d+)", limits)[1]) >= onnx.defs.onnx_opset_version()
