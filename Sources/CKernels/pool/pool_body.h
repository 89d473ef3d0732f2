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

SX_INLINE sx_vec load_strided(const float *x, int64_t stride) {
    if (stride == 1) return sx_vec_load(x);
    sx_vec v;
#pragma unroll
    for (int i = 0; i < 16; i++) v[i] = x[i * stride];
    return v;
}

/// Sixteen outputs at a time where all their taps are inside the input, one at a time near the ends.
SX_INLINE void line_plain(
    const sx_pool_line *line, const float *x, float *y, bool first, sx_fold fold, float neutral) {
    int64_t o = 0;
    while (o < line->out) {
        sx_pool_taps t = sx_pool_taps_at(line, o);
        sx_pool_taps last = sx_pool_taps_at(line, o + 15);
        bool inside = o + 16 <= line->out && t.first == 0 && last.end == line->kernel;
        if (inside) {
            sx_vec acc = first ? sx_vec_set(neutral) : sx_vec_load(y + o);
            for (int64_t k = 0; k < line->kernel; k++)
                acc = fold(acc, load_strided(x + t.start + k * line->dilation, line->stride));
            sx_vec_store(y + o, acc);
            o += 16;
        } else {
            sx_vec acc = sx_vec_set(first ? neutral : y[o]);
            for (int64_t k = t.first; k < t.end; k++) acc = fold(acc, sx_vec_set(x[t.start + k * line->dilation]));
            y[o++] = acc[0];
        }
    }
}

static void max_plain(const sx_pool_line *line, const float *x, float *y, bool first) {
    line_plain(line, x, y, first, sx_fold_max, -INFINITY);
}
static void max_blocked(const sx_pool_line *line, const float *x, float *y, bool first) {
    line_blocked(line, x, y, first, sx_fold_max, -INFINITY);
}
static void sum_plain(const sx_pool_line *line, const float *x, float *y, bool first) {
    line_plain(line, x, y, first, add, 0.0f);
}
static void sum_blocked(const sx_pool_line *line, const float *x, float *y, bool first) {
    line_blocked(line, x, y, first, add, 0.0f);
}

static void divide(const sx_pool_line *line, float *y, int lanes, int64_t outer_count, bool include_pad) {
    for (int64_t o = 0; o < line->out; o++) {
        sx_pool_taps t = sx_pool_taps_at(line, o);
        float count = (float)(outer_count * (include_pad ? sx_pool_padded_count(line, o) : t.end - t.first));
        if (lanes == 16)
            sx_vec_store(y + 16 * o, sx_vec_load(y + 16 * o) / count);
        else
            y[o] /= count;
    }
}

const sx_pool_kernels SX_ROW(sx_pool_kernels) = {max_plain, max_blocked, sum_plain, sum_blocked, divide};
