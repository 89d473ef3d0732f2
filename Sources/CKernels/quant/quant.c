#include "sx_quant.h"

#include <assert.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "quant_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_quant_kernels
#define SX_TABLE "../quant/kernels.inc"
#include "../base/dispatch.h"

enum { CHUNK = 16384 };

typedef struct {
    const sx_quant_kernels *kernels;
    const sx_quant_map *map;
    const char *x;
    char *y;
    const float *scale;
    const int32_t *zero;
    int32_t low, high;
    int byte_size;
    bool quantizes, is_signed;
    int64_t units, units_per_chunk;
} job;

static void run_group(const job *j, int64_t unit) {
    const sx_quant_map *map = j->map;
    int64_t o = unit / map->groups, g = unit % map->groups;
    int64_t first = o * map->extent + g * map->count, n = sx_min(map->count, map->extent - g * map->count);
    int64_t parameter = o * map->outer_parameters + g / map->groups_per_parameter * map->group_parameters;
    const float *scale = j->scale + parameter;
    const int32_t *zero = j->zero ? j->zero + parameter : NULL;
    if (j->quantizes)
        j->kernels->quantize(
            (const float *)j->x + first, scale, zero, map->step, j->low, j->high, j->y + first * j->byte_size,
            j->byte_size, n);
    else
        j->kernels->dequantize(j->x + first, j->is_signed, scale, zero, map->step, (float *)j->y + first, n);
}

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->units, (chunk + 1) * j->units_per_chunk);
    for (int64_t unit = chunk * j->units_per_chunk; unit < end; unit++) run_group(j, unit);
}

static void run_all(job *j, int threads) {
    const sx_quant_map *map = j->map;
    assert(map->outer >= 0 && map->groups >= 0 && map->count > 0 && map->groups_per_parameter > 0);
    j->kernels = kernels();
    j->units = map->outer * map->groups;
    j->units_per_chunk = sx_max(1, CHUNK / map->count);
    sx_parallel_for(threads, sx_ceil_div(j->units, j->units_per_chunk), run, j);
}

void sx_quantize(
    const sx_quant_map *map, const float *x, const float *scale, const int32_t *zero, int32_t low, int32_t high,
    void *y, int byte_size, int threads) {
    assert(byte_size == 1 || byte_size == 2);
    job j = {.map = map, .x = (const char *)x, .y = y, .scale = scale, .zero = zero, .low = low, .high = high,
             .byte_size = byte_size, .quantizes = true};
    run_all(&j, threads);
}

void sx_dequantize(
    const sx_quant_map *map, const void *x, bool is_signed, const float *scale, const int32_t *zero, float *y,
    int threads) {
    job j = {.map = map, .x = x, .y = (char *)y, .scale = scale, .zero = zero, .is_signed = is_signed};
    run_all(&j, threads);
}
