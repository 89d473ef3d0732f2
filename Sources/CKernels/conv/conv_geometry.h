#ifndef SX_CONV_GEOMETRY_H
#define SX_CONV_GEOMETRY_H

#include "../base/sizes.h"
#include "sx_conv.h"

// How output panels (16 output channels) meet input blocks (`lanes` input channels) in the direct algorithm. Every
// panel reads the same number of consecutive blocks: all of them, or, with groups, those its groups need.

/// Channels in one input block: 16 in blocked layout, 1 in plain layout.
static inline int64_t sx_conv_lanes(const sx_conv_shape *s) {
    return s->input_layout == SX_LAYOUT_BLOCKED16 ? SX_BLOCK : 1;
}

/// Input blocks of one image.
static inline int64_t sx_conv_input_blocks(const sx_conv_shape *s) { return sx_ceil_div(s->c, sx_conv_lanes(s)); }

static inline int64_t sx_conv_group_of(const sx_conv_shape *s, int64_t output_channel) {
    return sx_min(output_channel, s->k - 1) / (s->k / s->groups);
}

/// The first input block that a panel's groups need, and the number of them.
static inline int64_t sx_conv_needed_blocks(const sx_conv_shape *s, int64_t panel, int64_t *first) {
    int64_t group_channels = s->c / s->groups, lanes = sx_conv_lanes(s);
    int64_t begin = sx_conv_group_of(s, panel * SX_BLOCK) * group_channels;
    int64_t end = (sx_conv_group_of(s, panel * SX_BLOCK + SX_BLOCK - 1) + 1) * group_channels;
    *first = begin / lanes;
    return sx_ceil_div(end, lanes) - *first;
}

/// Input blocks that every panel reads.
static inline int64_t sx_conv_panel_blocks(const sx_conv_shape *s) {
    if (s->groups == 1) return sx_conv_input_blocks(s);
    int64_t most = 0, first;
    for (int64_t panel = 0; panel < sx_blocks(s->k); panel++) most = sx_max(most, sx_conv_needed_blocks(s, panel, &first));
    return most;
}

/// The first of the `panel_blocks` blocks that a panel reads.
static inline int64_t sx_conv_first_block(const sx_conv_shape *s, int64_t panel, int64_t panel_blocks) {
    if (s->groups == 1) return 0;
    int64_t first;
    sx_conv_needed_blocks(s, panel, &first);
    return sx_min(first, sx_conv_input_blocks(s) - panel_blocks);
}

#endif
