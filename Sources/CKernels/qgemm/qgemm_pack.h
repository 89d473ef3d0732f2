#ifndef SX_QGEMM_PACK_H
#define SX_QGEMM_PACK_H

#include <string.h>

#include "../base/sizes.h"
#include "qgemm_kernels.h"

/// Elements of a row of packed A: whole pairs, and rows not a multiple of 1 KiB apart, which share few lines of L1.
static inline int64_t sx_qgemm_row_elements(int64_t k) {
    int64_t elements = sx_round_up(k, 2);
    return elements % 512 == 0 ? elements + 32 : elements;
}

static inline const uint8_t *sx_qgemm_at(const sx_qgemm_matrix *m, int64_t row, int64_t column) {
    return (const uint8_t *)m->elements + row * m->row_stride + column * m->column_stride;
}

static inline int32_t sx_qgemm_zero(const sx_qgemm_matrix *m, int64_t index) {
    if (!m->zero) return 0;
    const uint8_t *zero = (const uint8_t *)m->zero + index * m->zero_step;
    return m->is_signed ? (int8_t)*zero : *zero;
}

/// `depth` elements of a row of A, less its zero point, and a zero to complete a pair.
static inline void sx_qgemm_widen_a(
    const sx_qgemm_kernels *kernels, const sx_qgemm_matrix *a, int64_t row, int64_t k, int64_t depth, int16_t *to) {
    kernels->widen(sx_qgemm_at(a, row, k), a->column_stride, a->is_signed, sx_qgemm_zero(a, row), to, depth);
    if (depth % 2) to[depth] = 0;
}

/// `columns` elements of a row of B, less their zero points.
static inline void sx_qgemm_widen_b(
    const sx_qgemm_kernels *kernels, const sx_qgemm_matrix *b, int64_t row, int64_t column, int64_t columns,
    int16_t *to) {
    int32_t zero = b->zero_step ? 0 : sx_qgemm_zero(b, 0);
    kernels->widen(sx_qgemm_at(b, row, column), b->column_stride, b->is_signed, zero, to, columns);
    for (int64_t i = 0; b->zero && b->zero_step && i < columns; i++)
        to[i] = (int16_t)(to[i] - sx_qgemm_zero(b, column + i));
}

/// What tap `k` of each of `columns` patches from `column` on reads, less the zero point.
static inline void sx_qgemm_patch_row(
    const sx_qgemm_kernels *kernels, const sx_qgemm_image *x, int64_t image, int64_t group, int64_t k, int64_t column,
    int64_t columns, int16_t *to) {
    int64_t tap[SX_QGEMM_AXES], at[SX_QGEMM_AXES];
    for (int axis = SX_QGEMM_AXES - 1; axis >= 0; axis--) {
        tap[axis] = k % x->kernel[axis] * x->dilation[axis] - x->pad_begin[axis];
        k /= x->kernel[axis];
        at[axis] = column % x->out[axis];
        column /= x->out[axis];
    }
    const uint8_t *channel = (const uint8_t *)x->elements + image * x->image_stride + group * x->group_stride +
                             k * x->channel_stride;
    int64_t stride = x->stride[2], start = tap[2];
    // Positions in a row of the output whose tap is inside.
    int64_t first = start >= 0 ? 0 : sx_ceil_div(-start, stride);
    int64_t past = start >= x->in[2] ? 0 : sx_min(x->out[2], (x->in[2] - 1 - start) / stride + 1);
    for (int64_t done = 0; done < columns;) {
        int64_t run = sx_min(x->out[2] - at[2], columns - done);
        int64_t d = at[0] * x->stride[0] + tap[0], h = at[1] * x->stride[1] + tap[1];
        bool is_inside = d >= 0 && d < x->in[0] && h >= 0 && h < x->in[1];
        int64_t low = is_inside ? sx_min(sx_max(first - at[2], 0), run) : run;
        int64_t high = sx_max(low, sx_min(past - at[2], run));
        memset(to + done, 0, (size_t)low * sizeof *to);
        if (high > low)
            kernels->widen(
                channel + d * x->axis_stride[0] + h * x->axis_stride[1] +
                    ((at[2] + low) * stride + start) * x->axis_stride[2],
                stride * x->axis_stride[2], x->is_signed, x->zero, to + done + low, high - low);
        memset(to + done + high, 0, (size_t)(run - high) * sizeof *to);
        done += run;
        at[2] = 0;
        if (++at[1] == x->out[1]) {
            at[1] = 0;
            at[0]++;
        }
    }
}

#endif
