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
    if (t.start >= 0 && t.start + (line->kernel - 1) * line->dilation < line->in) return t;
    if (t.start < 0) t.first = (-t.start + line->dilation - 1) / line->dilation;
    int64_t limit = (line->in - t.start + line->dilation - 1) / line->dilation;
    if (limit < t.end) t.end = limit;
    return t;
}

/// Taps before the end of the padding, which `count_include_pad` divides by.
static inline int64_t sx_pool_padded_count(const sx_pool_line *line, int64_t o) {
    int64_t start = o * line->stride - line->pad_begin, last = start + (line->kernel - 1) * line->dilation;
    if (last < line->in + line->pad_end) return line->kernel;
    int64_t limit = (line->in + line->pad_end - start + line->dilation - 1) / line->dilation;
    return limit < line->kernel ? limit : line->kernel;
}

/// Floats past the end of a padded line that may be read.
enum { SX_POOL_SLACK = 32 };

/// A line is `in` pixels of 1 lane (plain) or of 16 (blocked). Maxima begin with -infinity, sums with 0.
typedef struct {
    /// to[i] = fold of rows[0][i], rows[1][i], ..., and of to[i] itself where it `adds`, for i in [0, columns).
    void (*max_rows)(const float *const *rows, int count, float *to, int64_t columns, bool adds);
    void (*sum_rows)(const float *const *rows, int count, float *to, int64_t columns, bool adds);
    /// y[o] = fold of padded[o stride + t dilation] over the line's taps, for o in [0, count).
    void (*max_plain)(const sx_pool_line *line, const float *padded, float *y, int64_t count);
    void (*sum_plain)(const sx_pool_line *line, const float *padded, float *y, int64_t count);
    /// y[o] = fold(y[o], x at the window's taps); `first` starts anew.
    void (*max_blocked)(const sx_pool_line *line, const float *x, float *y, bool first);
    void (*sum_blocked)(const sx_pool_line *line, const float *x, float *y, bool first);
    /// y[o], where[o] = the greatest of y[o] and x at the window's taps, and the offset of the first such,
    /// `offset` that of x; a where of -1 begins.
    void (*max_index)(const sx_pool_line *line, const float *x, int64_t offset, float *y, int64_t *where);
    /// y[o, lane] /= outer_count times the window's tap count on this line.
    void (*divide)(const sx_pool_line *line, float *y, int lanes, int64_t outer_count, bool include_pad);
} sx_pool_kernels;

#endif
