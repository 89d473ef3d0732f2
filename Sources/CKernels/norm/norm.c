#include "sx_norm.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "norm_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_norm_kernels
#define SX_TABLE "../norm/kernels.inc"
#include "../base/dispatch.h"

enum { CHUNK = 8192 };

typedef struct {
    const sx_norm_kernels *kernels;
    const float *x, *scale, *bias;
    float *y, *mean, *inv_std;
    int64_t rows, columns, channels, groups, rows_per_chunk;
    float epsilon;
} job;

/// Runs `body` on chunks of rows, each chunk about CHUNK elements.
static void for_rows(job *j, sx_chunk_body body, int threads) {
    j->rows_per_chunk = sx_max(1, CHUNK / sx_max(1, j->columns));
    sx_parallel_for(threads, sx_ceil_div(j->rows, j->rows_per_chunk), body, j);
}

static void run_layer_norm(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t r = chunk * j->rows_per_chunk; r < end; r++) {
        const float *x = j->x + r * j->columns;
        float mean, variance;
        j->kernels->moments(x, j->columns, &mean, &variance);
        float inv_std = 1.0f / sqrtf(variance + j->epsilon);
        j->kernels->row(x, j->y + r * j->columns, j->columns, mean, inv_std, j->scale, j->bias);
        if (j->mean) j->mean[r] = mean;
        if (j->inv_std) j->inv_std[r] = inv_std;
    }
}

void sx_layer_norm(
    const float *x, const float *scale, const float *bias, float *y, float *mean, float *inv_std, int64_t rows,
    int64_t columns, float epsilon, int threads) {
    assert(rows >= 0 && columns >= 0);
    job j = {kernels(), x, scale, bias, y, mean, inv_std, rows, columns, 0, 0, 0, epsilon};
    for_rows(&j, run_layer_norm, threads);
}

static void run_rms_norm(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t r = chunk * j->rows_per_chunk; r < end; r++) {
        const float *x = j->x + r * j->columns;
        float factor = 1.0f / sqrtf(j->kernels->mean_square(x, j->columns) + j->epsilon);
        j->kernels->row(x, j->y + r * j->columns, j->columns, 0.0f, factor, j->scale, NULL);
    }
}

void sx_rms_norm(
    const float *x, const float *scale, float *y, int64_t rows, int64_t columns, float epsilon, int threads) {
    assert(rows >= 0 && columns >= 0);
    job j = {kernels(), x, scale, NULL, y, NULL, NULL, rows, columns, 0, 0, 0, epsilon};
    for_rows(&j, run_rms_norm, threads);
}

static void run_affine(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t r = chunk * j->rows_per_chunk; r < end; r++) {
        int64_t c = r % j->channels;
        j->kernels->affine(
            j->x + r * j->columns, j->y + r * j->columns, j->columns, 0.0f, j->scale[c], j->bias[c]);
    }
}

static void run_blocked_affine(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t blocks = sx_ceil_div(j->channels, 16), end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    for (int64_t r = chunk * j->rows_per_chunk; r < end; r++) {
        int64_t c = r % blocks * 16;
        j->kernels->blocked_affine(
            j->x + r * j->columns, j->y + r * j->columns, j->columns / 16, sx_min(16, j->channels - c),
            j->scale + c, j->bias + c);
    }
}

void sx_channel_affine(
    const float *x, const float *scale, const float *shift, float *y, int64_t batch, int64_t channels,
    int64_t inner, bool blocked, int threads) {
    assert(batch >= 0 && channels >= 0 && inner >= 0);
    int64_t rows = batch * (blocked ? sx_ceil_div(channels, 16) : channels);
    job j = {kernels(), x, scale, shift, y, NULL, NULL, rows, blocked ? inner * 16 : inner, channels, 0, 0, 0.0f};
    for_rows(&j, blocked ? run_blocked_affine : run_affine, threads);
}

/// A row is one group of one image: `columns` = channels / groups * inner.
static void run_group_norm(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->rows, (chunk + 1) * j->rows_per_chunk);
    int64_t group_channels = j->channels / j->groups, inner = j->columns / group_channels;
    for (int64_t r = chunk * j->rows_per_chunk; r < end; r++) {
        const float *x = j->x + r * j->columns;
        float *y = j->y + r * j->columns, mean, variance;
        j->kernels->moments(x, j->columns, &mean, &variance);
        float inv_std = 1.0f / sqrtf(variance + j->epsilon);
        for (int64_t k = 0; k < group_channels; k++) {
            int64_t c = r % j->groups * group_channels + k;
            float scale = j->scale ? inv_std * j->scale[c] : inv_std, shift = j->bias ? j->bias[c] : 0.0f;
            j->kernels->affine(x + k * inner, y + k * inner, inner, mean, scale, shift);
        }
    }
}

void sx_group_norm(
    const float *x, const float *scale, const float *bias, float *y, int64_t batch, int64_t channels, int64_t groups,
    int64_t inner, float epsilon, int threads) {
    assert(batch >= 0 && inner >= 0 && groups > 0 && channels % groups == 0);
    if (channels == 0 || inner == 0) return;
    job j = {kernels(), x, scale, bias, y, NULL, NULL, batch * groups, channels / groups * inner, channels, groups,
             0, epsilon};
    for_rows(&j, run_group_norm, threads);
}
