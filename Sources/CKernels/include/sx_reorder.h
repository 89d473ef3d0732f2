#ifndef SX_REORDER_H
#define SX_REORDER_H

#include "sx_layout.h"

/// dst in layout `to` = src in layout `from`: float32, `n` images of `c` channels and `pixels` = H W (or D H W)
/// pixels; exactly one of the two layouts is blocked16, the other plain or NHWC. Lanes beyond C are written as zero
/// and not read. Dense, 4-byte alignment suffices (64 is faster); no overlap.
void sx_reorder(
    sx_layout from, sx_layout to, int64_t n, int64_t c, int64_t pixels, const float *src, float *dst, int threads);

#endif
