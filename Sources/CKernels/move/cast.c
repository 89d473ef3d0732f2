#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "../base/sizes.h"
#include "half.h"
#include "move_kernels.h"
#include "sx_parallel.h"

// What no kernel casts in one step: a block of elements is read into float64 or int64 and written from there: 13 readers and 26 writers instead of a
// loop for each of 169 pairs. Integers go through int64 (uint64 by its bits, or float64 on its way to a floating
// type); floating types through float64, which holds all of them exactly.

enum { BLOCK = 512, CHUNK = 16384 };

static bool is_floating(sx_type t) {
    return t == SX_TYPE_FLOAT32 || t == SX_TYPE_FLOAT64 || t == SX_TYPE_FLOAT16 || t == SX_TYPE_BFLOAT16;
}

static int64_t type_size(sx_type t) {
    switch (t) {
    case SX_TYPE_UINT8:
    case SX_TYPE_INT8:
    case SX_TYPE_BOOL: return 1;
    case SX_TYPE_UINT16:
    case SX_TYPE_INT16:
    case SX_TYPE_FLOAT16:
    case SX_TYPE_BFLOAT16: return 2;
    case SX_TYPE_FLOAT32:
    case SX_TYPE_INT32:
    case SX_TYPE_UINT32: return 4;
    case SX_TYPE_INT64:
    case SX_TYPE_UINT64:
    case SX_TYPE_FLOAT64: return 8;
    }
    assert(!"element type");
    return 0;
}

static void read_floating(sx_type t, const void *p, double *to, int64_t n) {
    switch (t) {
    case SX_TYPE_FLOAT32:
        for (int64_t i = 0; i < n; i++) to[i] = ((const float *)p)[i];
        break;
    case SX_TYPE_FLOAT64: memcpy(to, p, (size_t)n * 8); break;
    case SX_TYPE_FLOAT16:
        for (int64_t i = 0; i < n; i++) to[i] = sx_from_half(((const uint16_t *)p)[i]);
        break;
    case SX_TYPE_BFLOAT16:
        for (int64_t i = 0; i < n; i++) to[i] = sx_float_of((uint32_t)((const uint16_t *)p)[i] << 16);
        break;
    case SX_TYPE_UINT64:
        for (int64_t i = 0; i < n; i++) to[i] = (double)((const uint64_t *)p)[i];
        break;
    default: assert(!"element type");
    }
}

static void read_integer(sx_type t, const void *p, int64_t *to, int64_t n) {
    switch (t) {
    case SX_TYPE_UINT8:
        for (int64_t i = 0; i < n; i++) to[i] = ((const uint8_t *)p)[i];
        break;
    case SX_TYPE_INT8:
        for (int64_t i = 0; i < n; i++) to[i] = ((const int8_t *)p)[i];
        break;
    case SX_TYPE_UINT16:
        for (int64_t i = 0; i < n; i++) to[i] = ((const uint16_t *)p)[i];
        break;
    case SX_TYPE_INT16:
        for (int64_t i = 0; i < n; i++) to[i] = ((const int16_t *)p)[i];
        break;
    case SX_TYPE_UINT32:
        for (int64_t i = 0; i < n; i++) to[i] = ((const uint32_t *)p)[i];
        break;
    case SX_TYPE_INT32:
        for (int64_t i = 0; i < n; i++) to[i] = ((const int32_t *)p)[i];
        break;
    case SX_TYPE_BOOL:
        for (int64_t i = 0; i < n; i++) to[i] = ((const uint8_t *)p)[i] != 0;
        break;
    case SX_TYPE_UINT64:
    case SX_TYPE_INT64: memcpy(to, p, (size_t)n * 8); break;
    default: assert(!"element type");
    }
}

static void write_integer(sx_type t, const int64_t *from, void *p, int64_t n) {
    switch (t) {
    case SX_TYPE_UINT8:
    case SX_TYPE_INT8:
        for (int64_t i = 0; i < n; i++) ((uint8_t *)p)[i] = (uint8_t)from[i];
        break;
    case SX_TYPE_UINT16:
    case SX_TYPE_INT16:
        for (int64_t i = 0; i < n; i++) ((uint16_t *)p)[i] = (uint16_t)from[i];
        break;
    case SX_TYPE_UINT32:
    case SX_TYPE_INT32:
        for (int64_t i = 0; i < n; i++) ((uint32_t *)p)[i] = (uint32_t)from[i];
        break;
    case SX_TYPE_UINT64:
    case SX_TYPE_INT64: memcpy(p, from, (size_t)n * 8); break;
    case SX_TYPE_BOOL:
        for (int64_t i = 0; i < n; i++) ((uint8_t *)p)[i] = from[i] != 0;
        break;
    case SX_TYPE_FLOAT32:
        for (int64_t i = 0; i < n; i++) ((float *)p)[i] = (float)from[i];
        break;
    case SX_TYPE_FLOAT64:
        for (int64_t i = 0; i < n; i++) ((double *)p)[i] = (double)from[i];
        break;
    case SX_TYPE_FLOAT16:
        for (int64_t i = 0; i < n; i++) ((uint16_t *)p)[i] = sx_to_half(sx_round_to_odd((double)from[i]));
        break;
    case SX_TYPE_BFLOAT16:
        for (int64_t i = 0; i < n; i++) ((uint16_t *)p)[i] = sx_to_bfloat16(sx_round_to_odd((double)from[i]));
        break;
    }
}

/// Towards zero, to the nearest end of [low, high] outside it, NaN to 0.
static inline double truncated(double x, double low, double high) {
    x = x < low ? low : x;
    x = x > high ? high : x;
    return x == x ? x : 0.0;
}

static void write_floating(sx_type t, const double *from, void *p, int64_t n) {
    switch (t) {
    case SX_TYPE_UINT8:
        for (int64_t i = 0; i < n; i++) ((uint8_t *)p)[i] = (uint8_t)truncated(from[i], 0, UINT8_MAX);
        break;
    case SX_TYPE_INT8:
        for (int64_t i = 0; i < n; i++) ((int8_t *)p)[i] = (int8_t)truncated(from[i], INT8_MIN, INT8_MAX);
        break;
    case SX_TYPE_UINT16:
        for (int64_t i = 0; i < n; i++) ((uint16_t *)p)[i] = (uint16_t)truncated(from[i], 0, UINT16_MAX);
        break;
    case SX_TYPE_INT16:
        for (int64_t i = 0; i < n; i++) ((int16_t *)p)[i] = (int16_t)truncated(from[i], INT16_MIN, INT16_MAX);
        break;
    case SX_TYPE_UINT32:
        for (int64_t i = 0; i < n; i++) ((uint32_t *)p)[i] = (uint32_t)truncated(from[i], 0, UINT32_MAX);
        break;
    case SX_TYPE_INT32:
        for (int64_t i = 0; i < n; i++) ((int32_t *)p)[i] = (int32_t)truncated(from[i], INT32_MIN, INT32_MAX);
        break;
    case SX_TYPE_UINT64:
        for (int64_t i = 0; i < n; i++)
            ((uint64_t *)p)[i] = from[i] >= 0x1p64 ? UINT64_MAX : (uint64_t)truncated(from[i], 0, 0x1.fffffffffffffp63);
        break;
    case SX_TYPE_INT64:
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)p)[i] =
                from[i] >= 0x1p63 ? INT64_MAX : (int64_t)truncated(from[i], -0x1p63, 0x1.fffffffffffffp62);
        break;
    case SX_TYPE_BOOL:
        for (int64_t i = 0; i < n; i++) ((uint8_t *)p)[i] = from[i] != 0.0;
        break;
    case SX_TYPE_FLOAT32:
        for (int64_t i = 0; i < n; i++) ((float *)p)[i] = (float)from[i];
        break;
    case SX_TYPE_FLOAT64: memcpy(p, from, (size_t)n * 8); break;
    case SX_TYPE_FLOAT16:
        for (int64_t i = 0; i < n; i++) ((uint16_t *)p)[i] = sx_to_half(sx_round_to_odd(from[i]));
        break;
    case SX_TYPE_BFLOAT16:
        for (int64_t i = 0; i < n; i++) ((uint16_t *)p)[i] = sx_to_bfloat16(sx_round_to_odd(from[i]));
        break;
    }
}

typedef struct {
    const sx_move_kernels *kernels;
    sx_type from, to;
    int64_t from_size, to_size, n;
    const char *src;
    char *dst;
} job;

static void cast_block(const job *j, const void *src, void *dst, int64_t n) {
    if (is_floating(j->from) || (j->from == SX_TYPE_UINT64 && is_floating(j->to))) {
        double block[BLOCK];
        read_floating(j->from, src, block, n);
        write_floating(j->to, block, dst, n);
    } else {
        int64_t block[BLOCK];
        read_integer(j->from, src, block, n);
        write_integer(j->to, block, dst, n);
    }
}

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t first = chunk * CHUNK, end = sx_min(j->n, first + CHUNK);
    if (j->kernels->cast(j->from, j->to, j->src + first * j->from_size, j->dst + first * j->to_size, end - first)) return;
    for (int64_t i = first; i < end; i += BLOCK)
        cast_block(j, j->src + i * j->from_size, j->dst + i * j->to_size, sx_min(BLOCK, end - i));
}

void sx_cast(sx_type from, sx_type to, const void *src, void *dst, int64_t n, int threads) {
    assert(n >= 0);
    if (from == to) {
        memcpy(dst, src, (size_t)(n * type_size(from)));
        return;
    }
    job j = {sx_move_current(), from, to, type_size(from), type_size(to), n, src, dst};
    sx_parallel_for(threads, sx_ceil_div(n, CHUNK), run, &j);
}
