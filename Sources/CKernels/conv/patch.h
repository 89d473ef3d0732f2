#ifndef SX_CONV_PATCH_H
#define SX_CONV_PATCH_H

#include <string.h>

#include "conv_geometry.h"

/// Copies a window of `rows` by `columns` pixels from (y, x) on of one input block, [s->h, s->w, lanes], which it may
/// reach beyond: there the copy is zero.
static inline void sx_conv_copy_patch(
    const sx_conv_shape *s, const float *plane, int64_t y, int64_t x, int64_t rows, int64_t columns, float *patch) {
    int64_t begin = sx_min(sx_max(-x, 0), columns), end = sx_max(sx_min(s->w - x, columns), begin);
    const int64_t lanes = sx_conv_lanes(s);
    memset(patch, 0, (size_t)(rows * columns * lanes) * sizeof(float));
    for (int64_t row = sx_max(-y, 0); row < sx_min(s->h - y, rows); row++)
        memcpy(
            patch + (row * columns + begin) * lanes, plane + ((y + row) * s->w + x + begin) * lanes,
            (size_t)((end - begin) * lanes) * sizeof(float));
}

#endif
