#ifndef SX_REORDER_H
#define SX_REORDER_H

#include "sx_layout.h"

/// dst in layout `to` = src in layout `from`: float32, `n` images of `c` channels and `pixels` = H W (or D H W)
/// pixels; exactly one of the two layouts is blocked16, the other plain or NHWC. Lanes beyond C are written as zero
/// and not read. Dense, 4-byte alignment suffices (64 is faster); no overlap.
void sx_reorder(
    sx_layout from, sx_layout to, int64_t n, int64_t c, int64_t pixels, const float *src, float *dst, int threads);

/// dst [n, c, pixels] = channels of sources: channel i of each image is channel `channel[i]` of `sources[source[i]]`,
/// float32 [n, source_channels[source[i]], pixels]. All are in `layout`, plain or blocked16, whose lanes beyond C are
/// written as zero and not read. Dense, 4-byte alignment suffices; no overlap.
void sx_gather_channels(
    sx_layout layout, int64_t n, int64_t c, int64_t pixels, const float *const *sources, const int64_t *source_channels,
    const int32_t *source, const int32_t *channel, float *dst, int threads);

#endif
