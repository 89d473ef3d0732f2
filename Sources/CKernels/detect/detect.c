#include "sx_detect.h"

#include <stddef.h>

#include "detect_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_detect_kernels
#define SX_TABLE "../detect/kernels.inc"
#include "../base/dispatch.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

enum { ROWS_PER_CHUNK = 8, ANCHORS_PER_CHUNK = 512 };

typedef struct {
    const sx_detect_kernels *kernels;
    const sx_detect_picture *picture;
    float *out;
} preprocess_job;

static void preprocess_rows(void *context, int64_t chunk, int worker) {
    const preprocess_job *job = context;
    const sx_detect_picture *p = job->picture;
    const int64_t bytes = 3 * p->width;
    float *row = p->scratch + worker * p->scratch_stride;
    const int64_t end = least(p->out_height, (chunk + 1) * ROWS_PER_CHUNK);
    for (int64_t y = chunk * ROWS_PER_CHUNK; y < end; y++) {
        const int64_t above = p->rows.index[y], below = least(above + 1, p->height - 1);
        job->kernels->blend_rows(
            p->pixels + above * bytes, p->pixels + below * bytes, p->rows.weight[y], bytes, row);
        // One pixel more, so that index + 1 exists at the right edge.
        for (int c = 0; c < 3; c++) row[bytes + c] = row[bytes - 3 + c];
        for (int plane = 0; plane < 3; plane++)
            job->kernels->resample_row(
                row + p->source[plane], p->columns, p->out_width, p->mean[plane], p->scale[plane],
                job->out + plane * p->plane_stride + y * p->row_stride);
    }
}

void sx_detect_preprocess(const sx_detect_picture *picture, float *out, int threads) {
    preprocess_job job = {kernels(), picture, out};
    sx_parallel_for(threads, (picture->out_height + ROWS_PER_CHUNK - 1) / ROWS_PER_CHUNK, preprocess_rows, &job);
}

typedef struct {
    const sx_detect_kernels *kernels;
    const float *scores;
    int64_t anchors, columns;
    float threshold;
    uint8_t *keep;
} candidates_job;

static void mark_candidates(void *context, int64_t chunk, int worker) {
    (void)worker;
    const candidates_job *job = context;
    const int64_t end = least(job->anchors, (chunk + 1) * ANCHORS_PER_CHUNK);
    for (int64_t a = chunk * ANCHORS_PER_CHUNK; a < end; a++)
        job->keep[a] = job->kernels->any_above(job->scores + a * job->columns + 1, job->columns - 1, job->threshold);
}

void sx_detect_candidates(
    const float *scores, int64_t anchors, int64_t columns, float threshold, uint8_t *keep, int threads) {
    candidates_job job = {kernels(), scores, anchors, columns, threshold, keep};
    sx_parallel_for(threads, (anchors + ANCHORS_PER_CHUNK - 1) / ANCHORS_PER_CHUNK, mark_candidates, &job);
}

typedef struct {
    const sx_detect_prototypes *proto;
    float *out;
    int64_t stride;
} arrange_job;

static void arrange_column(void *context, int64_t x, int worker) {
    (void)worker;
    const arrange_job *job = context;
    const sx_detect_prototypes *p = job->proto;
    float *out = job->out + x * p->count * job->stride;
    // Sixteen rows at a time: each line of `out` that is touched gets filled before it leaves the cache.
    for (int64_t top = 0; top < p->height; top += SX_DETECT_LANES) {
        const int64_t bottom = least(p->height, top + SX_DETECT_LANES);
        for (int64_t k = 0; k < p->count; k++) {
            const float *column = p->values + x * p->column_step + k * p->count_step;
            for (int64_t y = top; y < bottom; y++) out[k * job->stride + y] = column[y * p->row_step];
        }
    }
}

void sx_detect_arrange_prototypes(const sx_detect_prototypes *proto, float *out, int64_t stride, int threads) {
    arrange_job job = {proto, out, stride};
    sx_parallel_for(threads, proto->width, arrange_column, &job);
}

void sx_detect_combine(
    const float *proto, int64_t stride, const float *coefficients, int64_t count, int64_t n, bool sigmoid,
    float *out) {
    kernels()->combine(proto, stride, coefficients, count, n, sigmoid, out);
}

void sx_detect_stretch(const float *column, int32_t first, sx_detect_axis axis, int64_t n, float *out) {
    kernels()->stretch(column, first, axis, n, out);
}

void sx_detect_blend(const float *a, const float *b, float weight, float threshold, int64_t n, uint64_t *bits) {
    kernels()->blend(a, b, weight, threshold, n, bits);
}

bool sx_detect_overlaps(const float *blocks, int64_t count, const sx_detect_box *box, sx_detect_overlap_rule rule) {
    return kernels()->overlaps(blocks, count, box, rule);
}
