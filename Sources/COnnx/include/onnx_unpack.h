/// Unpacking of a ModelProto into memory that is bounded and released in one piece.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"

/// Memory that is only ever taken, up to a budget, and released as a whole.
typedef struct OnnxArena OnnxArena;

typedef enum {
    ONNX_UNPACK_OK = 0,
    /// The budget would be passed.
    ONNX_UNPACK_OVER_BUDGET,
    /// The system has no more memory.
    ONNX_UNPACK_OUT_OF_MEMORY,
    /// The bytes are not a ModelProto.
    ONNX_UNPACK_MALFORMED,
} OnnxUnpackStatus;

/// Returns an arena that will hold at most `budget` bytes, or NULL when there is no memory.
OnnxArena *onnx_arena_create(size_t budget);

/// Releases the arena and every structure unpacked into it; NULL is allowed.
void onnx_arena_destroy(OnnxArena *arena);

/// Unpacks `count` bytes into `arena`. On success `*model` lives as long as the arena; it is never freed by itself.
/// The caller has bounded the nesting depth: unpacking recurses once a level.
OnnxUnpackStatus onnx_unpack_model(
    OnnxArena *arena, const uint8_t *bytes, size_t count, const Onnx__ModelProto **model);

/// The descriptor of ModelProto, from which those of all other messages are reached.
const ProtobufCMessageDescriptor *onnx_model_descriptor(void);
