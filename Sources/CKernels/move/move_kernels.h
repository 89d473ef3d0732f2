#ifndef SX_MOVE_KERNELS_H
#define SX_MOVE_KERNELS_H

#include "sx_move.h"

typedef struct {
    /// dst[j, i] = src[i, j] for src [rows, columns] of 4-byte elements; row strides in elements. Bits are kept.
    void (*transpose32)(
        const void *src, int64_t src_row, void *dst, int64_t dst_row, int64_t rows, int64_t columns);
    /// The commonest casts from and to float32 in one step; returns 0, having done nothing, for other pairs.
    int (*cast)(sx_type from, sx_type to, const void *src, void *dst, int64_t n);
} sx_move_kernels;

/// The kernels of the current ISA level, for other families' packing.
const sx_move_kernels *sx_move_current(void);

#endif
