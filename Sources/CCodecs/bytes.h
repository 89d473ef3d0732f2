#ifndef SARDONYX_CCODECS_BYTES_H
#define SARDONYX_CCODECS_BYTES_H

#include <stdlib.h>
#include <string.h>

#include "CCodecs.h"

/// Appends, growing by doubling. Zero when memory is exhausted.
static inline int sx_bytes_append(sx_bytes *bytes, const void *data, size_t count) {
    if (count > bytes->capacity - bytes->count) {
        size_t capacity = bytes->capacity ? bytes->capacity : 65536;
        while (capacity - bytes->count < count) {
            if (capacity > SIZE_MAX / 2) return 0;
            capacity *= 2;
        }
        uint8_t *grown = realloc(bytes->data, capacity);
        if (!grown) return 0;
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
    return 1;
}

#endif
