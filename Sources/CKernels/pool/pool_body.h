#include "../base/vector_sum.h"
#include "pool_kernels.h"

SX_INLINE sx_vec add(sx_vec a, sx_vec b) { return a + b; }

SX_INLINE void line_blocked(
    const sx_pool_line *line, const float *x, float *y, bool first, sx_fold fold, float neutral) {
    for (int64_t o = 0; o < line->out; o++) {
        sx_pool_taps t = sx_pool_taps_at(line, o);
        sx_vec acc = first ? sx_vec_set(neutral) : sx_vec_load(y + 16 * o);
        const float *pixel = x + 16 * (t.start + t.first * line->dilation);
        for (int64_t k = t.first; k < t.end; k++, pixel += 16 * line->dilation) acc = fold(acc, sx_vec_load(pixel));
        sx_vec_store(y + 16 * o, acc);
    }
}

/// p[0], p[stride], ...; with a stride of 2 one element past the last is read.
SX_INLINE sx_vec load_strided(const float *p, int64_t stride) {
    if (stride == 1) return sx_vec_load(p);
    if (stride == 2)
        return __builtin_shufflevector(
            sx_vec_load(p), sx_vec_load(p + 16), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    sx_vec v;
#pragma unroll
    for (int i = 0; i < 16; i++) v[i] = p[i * stride];
    return v;
}

typedef float sx_pool_vec8 __attribute__((ext_vector_type(8)));
typedef float sx_pool_vec4 __attribute__((ext_vector_type(4)));

#define MAX(a, b) ((b) != (b) ? (b) : (b) > (a) ? (b) : (a))
#define SUM(a, b) ((a) + (b))

/// The columns from `i` on, a vector of `lanes` of them at a time.
#define FOLD_ROWS(vec, lanes, fold)                                   \
    for (; i + lanes <= columns; i += lanes) {                        \
        vec acc, next;                                                \
        memcpy(&acc, adds ? to + i : rows[0] + i, sizeof acc);        \
        for (int r = adds ? 0 : 1; r < count; r++) {                  \
            memcpy(&next, rows[r] + i, sizeof next);                  \
            acc = fold(acc, next);                                    \
        }                                                             \
        memcpy(to + i, &acc, sizeof acc);                             \
    }

static void max_rows(const float *const *rows, int count, float *to, int64_t columns, bool adds) {
    int64_t i = 0;
    FOLD_ROWS(sx_vec, 16, MAX)
    FOLD_ROWS(sx_pool_vec8, 8, MAX)
    FOLD_ROWS(sx_pool_vec4, 4, MAX)
    FOLD_ROWS(float, 1, MAX)
}

static void sum_rows(const float *const *rows, int count, float *to, int64_t columns, bool adds) {
    int64_t i = 0;
    FOLD_ROWS(sx_vec, 16, SUM)
    FOLD_ROWS(sx_pool_vec8, 8, SUM)
    FOLD_ROWS(sx_pool_vec4, 4, SUM)
    FOLD_ROWS(float, 1, SUM)
}

SX_INLINE void line_plain(
    const sx_pool_line *line, const float *padded, float *y, int64_t count, const int64_t stride, sx_fold fold) {
    int64_t o = 0;
    while (o < count) {
        // At the end the last sixteen again rather than a few, where that reads no more than the slack.
        if (o + 16 > count && stride > 2) break;
        int64_t first = o + 16 <= count || count < 16 ? o : count - 16;
        const float *p = padded + first * stride;
        sx_vec acc = load_strided(p, stride);
        for (int64_t t = 1; t < line->kernel; t++) acc = fold(acc, load_strided(p + t * line->dilation, stride));
        if (count < 16)
            sx_vec_store_first(y, acc, count);
        else
            sx_vec_store(y + first, acc);
        o += 16;
    }
    for (; o < count; o++) {
        const float *p = padded + o * stride;
        sx_vec acc = sx_vec_set(p[0]);
        for (int64_t t = 1; t < line->kernel; t++) acc = fold(acc, sx_vec_set(p[t * line->dilation]));
        y[o] = acc[0];
    }
}

SX_INLINE void line_of_any_stride(
    const sx_pool_line *line, const float *padded, float *y, int64_t count, sx_fold fold) {
    if (line->stride == 1)
        line_plain(line, padded, y, count, 1, fold);
    else if (line->stride == 2)
        line_plain(line, padded, y, count, 2, fold);
    else if (line->stride == 3)
        line_plain(line, padded, y, count, 3, fold);
    else
        line_plain(line, padded, y, count, line->stride, fold);
}

static void max_plain(const sx_pool_line *line, const float *padded, float *y, int64_t count) {
    line_of_any_stride(line, padded, y, count, sx_fold_max);
}
static void sum_plain(const sx_pool_line *line, const float *padded, float *y, int64_t count) {
    line_of_any_stride(line, padded, y, count, add);
}
static void max_blocked(const sx_pool_line *line, const float *x, float *y, bool first) {
    line_blocked(line, x, y, first, sx_fold_max, -INFINITY);
}
static void sum_blocked(const sx_pool_line *line, const float *x, float *y, bool first) {
    line_blocked(line, x, y, first, add, 0.0f);
}

/// The first of equals stays, and the first NaN for good.
SX_INLINE void take_greater(const float *x, int64_t stride, int64_t offset, float *y, int64_t *where, int64_t count) {
    for (int64_t o = 0; o < count; o++) {
        float value = x[o * stride], best = y[o];
        bool takes = (where[o] < 0) | (value > best) | ((value != value) & (best == best));
        y[o] = takes ? value : best;
        where[o] = takes ? offset + o * stride : where[o];
    }
}

static void max_index(const sx_pool_line *line, const float *x, int64_t offset, float *y, int64_t *where) {
    for (int64_t t = 0; t < line->kernel; t++) {
        int64_t start = t * line->dilation - line->pad_begin, left = line->in - start;
        int64_t begin = start < 0 ? (-start + line->stride - 1) / line->stride : 0;
        int64_t end = left <= 0 ? 0 : (left + line->stride - 1) / line->stride;
        if (end > line->out) end = line->out;
        int64_t from = begin * line->stride + start;
        if (line->stride == 1)
            take_greater(x + from, 1, offset + from, y + begin, where + begin, end - begin);
        else if (line->stride == 2)
            take_greater(x + from, 2, offset + from, y + begin, where + begin, end - begin);
        else
            take_greater(x + from, line->stride, offset + from, y + begin, where + begin, end - begin);
    }
}

static void divide(const sx_pool_line *line, float *y, int lanes, int64_t outer_count, bool include_pad) {
    // Windows that are wholly inside have as many taps.
    int64_t begin = line->pad_begin <= 0 ? 0 : (line->pad_begin + line->stride - 1) / line->stride;
    int64_t room = line->in - 1 - (line->kernel - 1) * line->dilation + line->pad_begin;
    int64_t end = room < 0 ? 0 : room / line->stride + 1;
    end = end < line->out ? end : line->out;
    const float whole = (float)(outer_count * line->kernel);
    for (int64_t o = begin * lanes; o < end * lanes; o++) y[o] /= whole;
    for (int64_t o = 0; o < line->out; o++) {
        if (o == begin && begin < end) o = end;
        if (o == line->out) break;
        sx_pool_taps t = sx_pool_taps_at(line, o);
        float count = (float)(outer_count * (include_pad ? sx_pool_padded_count(line, o) : t.end - t.first));
        for (int64_t lane = 0; lane < lanes; lane++) y[o * lanes + lane] /= count;
    }
}

const sx_pool_kernels SX_ROW(sx_pool_kernels) = {max_rows,    sum_rows,    max_plain, sum_plain,
                                                 max_blocked, sum_blocked, max_index, divide};
