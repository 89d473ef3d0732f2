#ifndef SX_BINARY_KERNELS_H
#define SX_BINARY_KERNELS_H

#include "sx_binary.h"

/// Two inner dimensions; `y` is contiguous in the last and has row stride `y_row`.
typedef struct {
    const float *a, *b;
    float *y;
    int64_t rows, columns, a_row, a_column, b_row, b_column, y_row;
} sx_binary_plane;

typedef struct {
    /// y[i, j] = f(a[i, j], b[i, j]).
    void (*plane)(sx_binary_op op, const sx_binary_plane *p);
} sx_binary_kernels;

#endif
