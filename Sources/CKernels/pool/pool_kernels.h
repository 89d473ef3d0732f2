#ifndef SX_POOL_KERNELS_H
#define SX_POOL_KERNELS_H

#include "sx_pool.h"

/// The innermost spatial dimension of a pooling.
typedef struct {
    int64_t in, out, kernel, stride, dilation, pad_begin, pad_end;
} sx_pool_line;

/// Taps [first, end) of the window at output `o` that lie inside the input.
typedef struct {
    int64_t start, first, end;
} sx_pool_taps;

static inline sx_pool_taps sx_pool_taps_at(const sx_pool_line *line, int64_t o) {
    sx_pool_taps t = {o * line->stride - line->pad_begin, 0, line->kernel};
    if (t.start < 0) t.first = (-t.start + line->dilation - 1) / line->dilation;
    int64_t limit = (line->in - t.start + line->dilation - 1) / line->dilation;
    if (limit < t.end) t.end = limit;
    return t;
}

/// Taps before the end of the padding, which `count_include_pad` divides by.
static inline int64_t sx_pool_padded_count(const sx_pool_line *line, int64_t o) {
    int64_t start = o * line->stride - line->pad_begin;
    int64_t limit = (line->in + line->pad_end - start + line->dilation - 1) / line->dilation;
    return limit < line->kernel ? limit : line->kernel;
}

/// A line is `in` pixels of 1 lane (plain) or of 16 (blocked).
typedef struct {
    /// y[o] = max(y[o], x at the window's taps); `first` starts from nothing.
    void (*max_plain)(const sx_pool_line *line, const float *x, float *y, bool first);
    void (*max_blocked)(const sx_pool_line *line, const float *x, float *y, bool first);
    /// y[o] += x at the window's taps; `first` starts from 0.
    void (*sum_plain)(const sx_pool_line *line, const float *x, float *y, bool first);
    void (*sum_blocked)(const sx_pool_line *line, const float *x, float *y, bool first);
    /// y[o, lane] /= outer_count times the window's tap count on this line.
    void (*divide)(const sx_pool_line *line, float *y, int lanes, int64_t outer_count, bool include_pad);
} sx_pool_kernels;

#endif
