#include <assert.h>
#include <string.h>

#include "../base/sizes.h"
#include "sx_move.h"
#include "sx_parallel.h"

enum { CHUNK_BYTES = 65536 };

typedef struct {
    char *dst;
    const void *value;
    int64_t n;
    int size;
} fill_job;

static void run_fill(void *context, int64_t chunk, int worker) {
    (void)worker;
    const fill_job *j = context;
    int64_t elements = CHUNK_BYTES / j->size, first = chunk * elements, count = sx_min(elements, j->n - first);
    char *dst = j->dst + first * j->size;
    // One element, then doubling: each copy repeats what is there already.
    memcpy(dst, j->value, (size_t)j->size);
    for (int64_t done = 1; done < count; done *= 2)
        memcpy(dst + done * j->size, dst, (size_t)(sx_min(done, count - done) * j->size));
}

void sx_fill(void *dst, int64_t n, const void *value, int element_size, int threads) {
    assert(n >= 0 && element_size > 0 && element_size <= 16);
    fill_job j = {dst, value, n, element_size};
    sx_parallel_for(threads, sx_ceil_div(n, CHUNK_BYTES / element_size), run_fill, &j);
}

typedef struct {
    const char *src;
    const int64_t *index;
    char *dst;
    int64_t axis, count, rows, row_bytes, rows_per_chunk;
} gather_job;

static inline __attribute__((always_inline)) void gather(const gather_job *j, int64_t chunk, int64_t row_bytes) {
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t row = chunk * j->rows_per_chunk; row < end; row++) {
        int64_t from = row / j->count * j->axis + j->index[row % j->count];
        memcpy(j->dst + row * row_bytes, j->src + from * row_bytes, (size_t)row_bytes);
    }
}

static void run_gather(void *context, int64_t chunk, int worker) {
    (void)worker;
    const gather_job *j = context;
    switch (j->row_bytes) {
    case 4: gather(j, chunk, 4); break;
    case 8: gather(j, chunk, 8); break;
    default: gather(j, chunk, j->row_bytes);
    }
}

void sx_gather_rows(
    const void *src, const int64_t *index, void *dst, int64_t outer, int64_t axis, int64_t count, int64_t row_bytes,
    int threads) {
    assert(outer >= 0 && axis >= 0 && count >= 0 && row_bytes >= 0);
    if (count == 0 || row_bytes == 0) return;
    gather_job j = {src, index, dst, axis, count, outer * count, row_bytes, sx_max(1, CHUNK_BYTES / row_bytes)};
    sx_parallel_for(threads, sx_ceil_div(j.rows, j.rows_per_chunk), run_gather, &j);
}
