/// Floor 0: the generated ONNX structures, their unpacking within a memory budget, and confined file opening.
#pragma once

#include "onnx.pb-c.h"
#include "onnx_unpack.h"
#include "open_beneath.h"
