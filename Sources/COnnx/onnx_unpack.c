#include "onnx_unpack.h"

#include <stdlib.h>

enum { CHUNK_BYTES = 1 << 16, ALIGNMENT = 16 };

/// Header of a block of memory; the bytes handed out follow it.
typedef struct Chunk {
    struct Chunk *next;
    size_t capacity;
    size_t used;
    size_t padding;
} Chunk;

struct OnnxArena {
    Chunk *chunks;
    size_t remaining;
    OnnxUnpackStatus failure;
};

OnnxArena *onnx_arena_create(size_t budget) {
    OnnxArena *arena = calloc(1, sizeof *arena);
    if (arena != NULL) arena->remaining = budget;
    return arena;
}

void onnx_arena_destroy(OnnxArena *arena) {
    if (arena == NULL) return;
    for (Chunk *chunk = arena->chunks; chunk != NULL;) {
        Chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(arena);
}

static void *arena_alloc(void *data, size_t size) {
    OnnxArena *arena = data;
    if (size > arena->remaining || size > SIZE_MAX / 2) {
        arena->failure = ONNX_UNPACK_OVER_BUDGET;
        return NULL;
    }
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < rounded) {
        size_t capacity = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + capacity);
        if (chunk == NULL) {
            arena->failure = ONNX_UNPACK_OUT_OF_MEMORY;
            return NULL;
        }
        *chunk = (Chunk){.next = arena->chunks, .capacity = capacity};
        arena->chunks = chunk;
    }
    void *result = (unsigned char *)(chunk + 1) + chunk->used;
    chunk->used += rounded;
    arena->remaining -= size < rounded && rounded <= arena->remaining ? rounded : size;
    return result;
}

/// Memory goes back with the arena only.
static void arena_free(void *data, void *pointer) {
    (void)data;
    (void)pointer;
}

OnnxUnpackStatus onnx_unpack_model(
    OnnxArena *arena, const uint8_t *bytes, size_t count, const Onnx__ModelProto **model) {
    ProtobufCAllocator allocator = {.alloc = arena_alloc, .free = arena_free, .allocator_data = arena};
    arena->failure = ONNX_UNPACK_OK;
    *model = onnx__model_proto__unpack(&allocator, count, bytes);
    if (*model != NULL) return ONNX_UNPACK_OK;
    return arena->failure != ONNX_UNPACK_OK ? arena->failure : ONNX_UNPACK_MALFORMED;
}

const ProtobufCMessageDescriptor *onnx_model_descriptor(void) { return &onnx__model_proto__descriptor; }
