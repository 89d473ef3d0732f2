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

#endif
