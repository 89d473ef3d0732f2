#include "sx_reorder.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "../base/sizes.h"
#include "reorder_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_reorder_kernels
#define SX_TABLE "../reorder/kernels.inc"
#include "../base/dispatch.h"

enum { CHUNK_PIXELS = 1024 };

typedef struct {
    const sx_reorder_kernels *kernels;
    bool to_blocked, plain;
    int64_t c, pixels, blocks, pixel_chunks;
    const float *src;
    float *dst;
} reorder_job;

static void to_nhwc_rows(const float *src, float *dst, int64_t pixels, int64_t channels, int64_t stride) {
    for (int64_t i = 0; i < pixels; i++) memcpy(dst + i * stride, src + i * SX_BLOCK, (size_t)channels * sizeof(float));
}

static void from_nhwc_rows(const float *src, float *dst, int64_t pixels, int64_t channels, int64_t stride) {
    for (int64_t i = 0; i < pixels; i++) {
        memcpy(dst + i * SX_BLOCK, src + i * stride, (size_t)channels * sizeof(float));
        memset(dst + i * SX_BLOCK + channels, 0, (size_t)(SX_BLOCK - channels) * sizeof(float));
    }
}

/// One chunk: up to CHUNK_PIXELS pixels of one channel block.
static void run_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const reorder_job *job = context;
    int64_t first = chunk % job->pixel_chunks * CHUNK_PIXELS, plane = chunk / job->pixel_chunks;
    int64_t pixels = sx_min(CHUNK_PIXELS, job->pixels - first), block = plane % job->blocks, image = plane / job->blocks;
    int64_t channels = sx_min(SX_BLOCK, job->c - block * SX_BLOCK);
    int64_t blocked = (plane * job->pixels + first) * SX_BLOCK;
    int64_t other = job->plain ? (image * job->c + block * SX_BLOCK) * job->pixels + first
                               : (image * job->pixels + first) * job->c + block * SX_BLOCK;
    if (job->plain && job->to_blocked)
        job->kernels->block(job->src + other, job->dst + blocked, pixels, channels, job->pixels);
    else if (job->plain)
        job->kernels->unblock(job->src + blocked, job->dst + other, pixels, channels, job->pixels);
    else if (job->to_blocked)
        from_nhwc_rows(job->src + other, job->dst + blocked, pixels, channels, job->c);
    else
        to_nhwc_rows(job->src + blocked, job->dst + other, pixels, channels, job->c);
}

void sx_reorder(
    sx_layout from, sx_layout to, int64_t n, int64_t c, int64_t pixels, const float *src, float *dst, int threads) {
    assert((from == SX_LAYOUT_BLOCKED16) != (to == SX_LAYOUT_BLOCKED16));
    if (n <= 0 || c <= 0 || pixels <= 0) return;
    reorder_job job = {
        .kernels = kernels(),
        .to_blocked = to == SX_LAYOUT_BLOCKED16,
        .plain = from == SX_LAYOUT_PLAIN || to == SX_LAYOUT_PLAIN,
        .c = c,
        .pixels = pixels,
        .blocks = sx_blocks(c),
        .pixel_chunks = sx_ceil_div(pixels, CHUNK_PIXELS),
        .src = src,
        .dst = dst,
    };
    sx_parallel_for(threads, n * job.blocks * job.pixel_chunks, run_chunk, &job);
}
