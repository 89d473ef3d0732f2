#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "../base/sizes.h"
#include "sx_parallel.h"
#include "sx_reorder.h"

enum { CHUNK_PIXELS = 1024, LANES_AT_ONCE = 4 };

typedef struct {
    bool blocked;
    int64_t c, pixels, blocks, pixel_chunks;
    const float *const *sources;
    const int64_t *source_channels;
    const int32_t *source, *channel;
    float *dst;
} gather_job;

/// The first pixel of output channel `i` of an image.
static const float *channel_start(const gather_job *job, int64_t image, int64_t i) {
    const int64_t source = job->source[i], channel = job->channel[i], channels = job->source_channels[source];
    if (!job->blocked) return job->sources[source] + (image * channels + channel) * job->pixels;
    int64_t plane = image * sx_blocks(channels) + channel / SX_BLOCK;
    return job->sources[source] + plane * job->pixels * SX_BLOCK + channel % SX_BLOCK;
}

/// Four lanes of one block; those past `lanes` are zero.
static void gather_lanes(const float *const from[LANES_AT_ONCE], int64_t lanes, int64_t pixels, float *to) {
    static const float zero;
    const float *in[LANES_AT_ONCE];
    int64_t step[LANES_AT_ONCE];
    for (int64_t lane = 0; lane < LANES_AT_ONCE; lane++) {
        in[lane] = lane < lanes ? from[lane] : &zero;
        step[lane] = lane < lanes ? SX_BLOCK : 0;
    }
    for (int64_t pixel = 0; pixel < pixels; pixel++, to += SX_BLOCK)
        for (int64_t lane = 0; lane < LANES_AT_ONCE; lane++) {
            to[lane] = *in[lane];
            in[lane] += step[lane];
        }
}

/// One chunk: up to CHUNK_PIXELS pixels of 16 channels.
static void run_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const gather_job *job = context;
    int64_t first = chunk % job->pixel_chunks * CHUNK_PIXELS, plane = chunk / job->pixel_chunks;
    int64_t pixels = sx_min(CHUNK_PIXELS, job->pixels - first), block = plane % job->blocks, image = plane / job->blocks;
    int64_t begin = block * SX_BLOCK, channels = sx_min(SX_BLOCK, job->c - begin);
    if (!job->blocked) {
        for (int64_t i = begin; i < begin + channels; i++)
            memcpy(
                job->dst + (image * job->c + i) * job->pixels + first, channel_start(job, image, i) + first,
                (size_t)pixels * sizeof(float));
        return;
    }
    float *to = job->dst + (plane * job->pixels + first) * SX_BLOCK;
    for (int64_t lane = 0; lane < SX_BLOCK; lane += LANES_AT_ONCE) {
        const float *from[LANES_AT_ONCE];
        int64_t lanes = sx_max(sx_min(channels - lane, LANES_AT_ONCE), 0);
        for (int64_t i = 0; i < lanes; i++) from[i] = channel_start(job, image, begin + lane + i) + first * SX_BLOCK;
        gather_lanes(from, lanes, pixels, to + lane);
    }
}

void sx_gather_channels(
    sx_layout layout, int64_t n, int64_t c, int64_t pixels, const float *const *sources, const int64_t *source_channels,
    const int32_t *source, const int32_t *channel, float *dst, int threads) {
    assert(layout == SX_LAYOUT_PLAIN || layout == SX_LAYOUT_BLOCKED16);
    if (n <= 0 || c <= 0 || pixels <= 0) return;
    gather_job job = {
        .blocked = layout == SX_LAYOUT_BLOCKED16,
        .c = c,
        .pixels = pixels,
        .blocks = sx_blocks(c),
        .pixel_chunks = sx_ceil_div(pixels, CHUNK_PIXELS),
        .sources = sources,
        .source_channels = source_channels,
        .source = source,
        .channel = channel,
        .dst = dst,
    };
    sx_parallel_for(threads, n * job.blocks * job.pixel_chunks, run_chunk, &job);
}
