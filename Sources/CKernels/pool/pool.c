#include "sx_pool.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "../base/sizes.h"
#include "pool_kernels.h"
#include "sx_parallel.h"

#define SX_FAMILY sx_pool_kernels
#define SX_TABLE "../pool/kernels.inc"
#include "../base/dispatch.h"

// A plain line of output: the input lines of its window are folded into one with its padding, taps of that into the
// output. Where a window is wider than the memory for such a line, one output at a time.
enum { CHUNK = 8192, PADDED = 1024, ROWS = 16 };

typedef struct {
    const sx_pool_kernels *kernels;
    const sx_pool_shape *shape;
    const float *x;
    float *y;
    int64_t *indices;
    sx_pool_line line;
    int lanes;
    int64_t in_plane, out_lines, lines, lines_per_chunk;
    bool average, include_pad, column_major;
} job;

static sx_pool_line dimension(const sx_pool_shape *s, int d) {
    return (sx_pool_line){s->in[d],       s->out[d],       s->kernel[d], s->stride[d],
                          s->dilation[d], s->pad_begin[d], s->pad_end[d]};
}

/// The taps inside the input of one output line's window in all but the innermost dimension.
typedef struct {
    int rank;
    sx_pool_taps taps[SX_POOL_MAX_RANK];
    int64_t dilation[SX_POOL_MAX_RANK], stride[SX_POOL_MAX_RANK], at[SX_POOL_MAX_RANK];
    int64_t inside, padded;
} window;

static window window_at(const sx_pool_shape *s, int64_t line) {
    window w = {.rank = s->spatial_rank - 1, .inside = 1, .padded = 1};
    int64_t stride = s->in[w.rank];
    for (int d = w.rank - 1; d >= 0; d--) {
        sx_pool_line dim = dimension(s, d);
        int64_t o = line % dim.out;
        line /= dim.out;
        w.taps[d] = sx_pool_taps_at(&dim, o);
        w.dilation[d] = dim.dilation;
        w.stride[d] = stride;
        w.at[d] = w.taps[d].first;
        w.inside *= w.taps[d].end - w.taps[d].first;
        w.padded *= sx_pool_padded_count(&dim, o);
        stride *= dim.in;
    }
    return w;
}

/// Pixel offset of the input line under the current taps.
static int64_t window_offset(const window *w) {
    int64_t offset = 0;
    for (int d = 0; d < w->rank; d++) offset += (w->taps[d].start + w->at[d] * w->dilation[d]) * w->stride[d];
    return offset;
}

static bool window_next(window *w) {
    for (int d = w->rank - 1; d >= 0; d--) {
        if (++w->at[d] < w->taps[d].end) return true;
        w->at[d] = w->taps[d].first;
    }
    return false;
}

static bool is_wide(const sx_pool_line *line) { return (line->kernel - 1) * line->dilation >= PADDED; }

static void run_blocked_line(const job *j, const float *x, window *w, float *y) {
    bool first = true;
    do {
        const float *pixels = x + window_offset(w) * 16;
        if (j->average)
            j->kernels->sum_blocked(&j->line, pixels, y, first);
        else
            j->kernels->max_blocked(&j->line, pixels, y, first);
        first = false;
    } while (window_next(w));
}

static void run_plain_line(const job *j, const float *x, window *w, float *y) {
    const sx_pool_line *line = &j->line;
    float padded[PADDED + SX_POOL_SLACK];
    int64_t reach = (line->kernel - 1) * line->dilation + 1;
    int64_t most = line->stride >= PADDED ? 1 : (PADDED - reach) / line->stride + 1, count;
    for (int64_t o = 0; o < line->out; o += count) {
        count = sx_min(most, line->out - o);
        int64_t first = o * line->stride - line->pad_begin, length = (count - 1) * line->stride + reach;
        int64_t begin = sx_min(length, sx_max(0, -first)), end = sx_max(begin, sx_min(length, line->in - first));
        const float neutral = j->average ? 0.0f : -INFINITY;
        for (int64_t i = 0; i < begin; i++) padded[i] = neutral;
        for (int64_t i = end; i < length + SX_POOL_SLACK; i++) padded[i] = neutral;
        const float *rows[ROWS];
        for (bool left = true, adds = false; left; adds = true) {
            int taken = 0;
            for (; left && taken < ROWS; left = window_next(w)) rows[taken++] = x + window_offset(w) + first + begin;
            if (j->average)
                j->kernels->sum_rows(rows, taken, padded + begin, end - begin, adds);
            else
                j->kernels->max_rows(rows, taken, padded + begin, end - begin, adds);
        }
        if (j->average)
            j->kernels->sum_plain(line, padded, y + o, count);
        else
            j->kernels->max_plain(line, padded, y + o, count);
    }
}

static void run_wide_line(const job *j, const float *x, window *w, float *y) {
    for (int64_t o = 0; o < j->line.out; o++) {
        sx_pool_taps t = sx_pool_taps_at(&j->line, o);
        float best = -INFINITY;
        double sum = 0.0;
        do {
            const float *from = x + window_offset(w) + t.start;
            for (int64_t k = t.first; k < t.end; k++) {
                float value = from[k * j->line.dilation];
                sum += value;
                if (value > best || value != value) best = value;
            }
        } while (window_next(w));
        y[o] = j->average ? (float)sum : best;
    }
}

static void run_line(const job *j, int64_t line) {
    const float *x = j->x + line / j->out_lines * j->in_plane * j->lanes;
    float *y = j->y + line * j->line.out * j->lanes;
    window w = window_at(j->shape, line % j->out_lines);
    if (j->lanes == 16)
        run_blocked_line(j, x, &w, y);
    else if (is_wide(&j->line))
        run_wide_line(j, x, &w, y);
    else
        run_plain_line(j, x, &w, y);
    if (j->average)
        j->kernels->divide(&j->line, y, j->lanes, j->include_pad ? w.padded : w.inside, j->include_pad);
}

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->lines, (chunk + 1) * j->lines_per_chunk);
    for (int64_t line = chunk * j->lines_per_chunk; line < end; line++) run_line(j, line);
}

/// The flat offset of a pixel with its spatial dimensions taken column-major.
static int64_t column_major_pixel(const sx_pool_shape *s, int64_t pixel) {
    int64_t coordinate[SX_POOL_MAX_RANK], result = 0;
    for (int d = s->spatial_rank - 1; d >= 0; d--) {
        coordinate[d] = pixel % s->in[d];
        pixel /= s->in[d];
    }
    for (int d = s->spatial_rank - 1; d >= 0; d--) result = result * s->in[d] + coordinate[d];
    return result;
}

static void run_line_with_indices(const job *j, int64_t line) {
    int64_t plane = line / j->out_lines;
    const float *x = j->x + plane * j->in_plane;
    float *y = j->y + line * j->line.out;
    int64_t *where = j->indices + line * j->line.out;
    window w = window_at(j->shape, line % j->out_lines);
    for (int64_t o = 0; o < j->line.out; o++) {
        y[o] = -INFINITY;
        where[o] = -1;
    }
    do {
        int64_t offset = window_offset(&w);
        if (!is_wide(&j->line)) {
            j->kernels->max_index(&j->line, x + offset, offset, y, where);
            continue;
        }
        // Only taps that are inside: there may be any number of others.
        for (int64_t o = 0; o < j->line.out; o++) {
            sx_pool_taps t = sx_pool_taps_at(&j->line, o);
            sx_pool_line one = j->line;
            one.out = 1;
            one.kernel = t.end - t.first;
            one.pad_begin = -(t.start + t.first * one.dilation);
            j->kernels->max_index(&one, x + offset, offset, y + o, where + o);
        }
    } while (window_next(&w));
    for (int64_t o = 0; o < j->line.out; o++) {
        if (j->column_major) where[o] = column_major_pixel(j->shape, where[o]);
        where[o] += plane * j->in_plane;
    }
}

static void run_with_indices(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    int64_t end = sx_min(j->lines, (chunk + 1) * j->lines_per_chunk);
    for (int64_t line = chunk * j->lines_per_chunk; line < end; line++) run_line_with_indices(j, line);
}

static void for_lines(job *j, sx_chunk_body body, int threads) {
    const sx_pool_shape *s = j->shape;
    assert(s->spatial_rank >= 1 && s->spatial_rank <= SX_POOL_MAX_RANK);
    j->lanes = s->blocked ? 16 : 1;
    j->line = dimension(s, s->spatial_rank - 1);
    j->in_plane = 1;
    j->out_lines = 1;
    for (int d = 0; d < s->spatial_rank; d++) j->in_plane *= s->in[d];
    for (int d = 0; d < s->spatial_rank - 1; d++) j->out_lines *= s->out[d];
    j->lines = s->batch * (s->blocked ? sx_ceil_div(s->channels, 16) : s->channels) * j->out_lines;
    if (j->lines == 0 || j->line.out == 0) return;
    j->lines_per_chunk = sx_max(1, CHUNK / (j->line.out * j->lanes));
    sx_parallel_for(threads, sx_ceil_div(j->lines, j->lines_per_chunk), body, j);
}

void sx_max_pool(
    const sx_pool_shape *shape, const float *x, float *y, int64_t *indices, bool column_major, int threads) {
    assert(!indices || !shape->blocked);
    job j = {.kernels = kernels(), .shape = shape, .x = x, .y = y, .indices = indices, .column_major = column_major};
    for_lines(&j, indices ? run_with_indices : run, threads);
}

void sx_average_pool(const sx_pool_shape *shape, const float *x, float *y, bool count_include_pad, int threads) {
    job j = {.kernels = kernels(), .shape = shape, .x = x, .y = y, .average = true, .include_pad = count_include_pad};
    for_lines(&j, run, threads);
}
