#ifndef SX_RESIZE_H
#define SX_RESIZE_H

#include <stdint.h>

/// For each output coordinate o: `taps` source coordinates `index[o taps + t]`, all inside the source, and their
/// weights `weight[o taps + t]`. Nearest has one tap, linear two, cubic four, an antialiased filter as many as it
/// needs (shorter windows are filled up with weight 0). With one tap `weight` may be NULL: a copy.
typedef struct {
    int taps;
    const int32_t *index;
    const float *weight;
} sx_resize_table;

/// Separable 2-D resize of x [planes, in_height, in_width, lanes] to y [planes, out_height, out_width, lanes]:
/// y[p, h, w] = sum over i, j of rows.weight[h, i] columns.weight[w, j] x[p, rows.index[h, i], columns.index[w, j]].
/// `lanes` is 1 (plain layout, planes = N C) or 16 (blocked16, planes = N ceil(C/16)). No overlap.
void sx_resize_2d(
    const float *x, float *y, int64_t planes, int64_t in_height, int64_t in_width, int64_t out_height,
    int64_t out_width, int lanes, sx_resize_table rows, sx_resize_table columns, int threads);

/// Resize along one axis: x [outer, in, inner] to y [outer, out, inner]. Applied axis by axis for other ranks.
void sx_resize_axis(
    const float *x, float *y, int64_t outer, int64_t in, int64_t out, int64_t inner, sx_resize_table table,
    int threads);

#endif
