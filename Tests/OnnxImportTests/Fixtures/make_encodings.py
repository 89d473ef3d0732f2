"""Writes encodings.onnx beside this file: every element type as raw data and in its typed field, by onnx and ml_dtypes.

For each type T there are three initializers: T/raw, T/typed and T/expected, the last one holding as uint8 the bytes
that Sardonyx keeps in memory (one element a byte for types narrower than that, int4 and int2 sign-extended).
Needs: onnx, numpy, ml_dtypes.
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Seven elements: not a whole number of bytes for any narrow type.
SIGNED = [-8, 7, -1, 0, 3, -5, 1]
VALUES = {
    "INT4": SIGNED, "UINT4": [0, 15, 8, 7, 1, 9, 4], "INT2": [-2, 1, -1, 0, 1, -2, -1], "UINT2": [0, 3, 2, 1, 3, 0, 2],
    "BOOL": [True, False, True, True, False, False, True],
    "UINT8": [0, 255, 128, 1, 2, 3, 4], "UINT16": [0, 65535, 32768, 1, 2, 3, 4],
    "UINT32": [0, 2**32 - 1, 2**31, 1, 2, 3, 4], "UINT64": [0, 2**64 - 1, 2**63, 1, 2, 3, 4],
    "INT8": [-128, 127, -1, 0, 1, 2, 3], "INT16": [-32768, 32767, -1, 0, 1, 2, 3],
    "INT32": [-(2**31), 2**31 - 1, -1, 0, 1, 2, 3], "INT64": [-(2**63), 2**63 - 1, -1, 0, 1, 2, 3],
    "COMPLEX64": [1 + 2j, -3.5j, 0, 4, 5 - 1j, 6, 7], "COMPLEX128": [1 + 2j, -3.5j, 0, 4, 5 - 1j, 6, 7],
}
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.5, 4.0, -2.0]

initializers = []
for name, number in TensorProto.DataType.items():
    if name in ("UNDEFINED", "STRING"):
        continue
    dtype = helper.tensor_dtype_to_np_dtype(number)
    array = np.array(VALUES.get(name, [1.0, 2.0, 4.0, 0.5, 8.0, 0.25, 16.0] if "E8M0" in name else FLOATS)).astype(dtype)
    narrow = name in ("INT4", "UINT4", "INT2", "UINT2")
    memory = array.astype(np.int8 if name.startswith("INT") else np.uint8) if narrow else array
    initializers.append(numpy_helper.from_array(array, f"{name}/raw"))
    values = array.tolist() if array.dtype.kind in "biufc" else array
    initializers.append(helper.make_tensor(f"{name}/typed", number, [7], values))
    initializers.append(numpy_helper.from_array(np.frombuffer(memory.tobytes(), np.uint8), f"{name}/expected"))
initializers.append(helper.make_tensor("STRING/typed", TensorProto.STRING, [3], ["", "naïve", "🦊"]))

graph = helper.make_graph([], "encodings", [], [], initializers)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=onnx.IR_VERSION)
pathlib.Path(__file__).with_name("encodings.onnx").write_bytes(model.SerializeToString())
