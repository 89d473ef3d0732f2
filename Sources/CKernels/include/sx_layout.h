#ifndef SX_LAYOUT_H
#define SX_LAYOUT_H

#include <stdint.h>

/// How the float32 elements of an image batch lie in memory.
typedef enum {
    SX_LAYOUT_PLAIN = 0,      ///< [N, C, H, W]
    SX_LAYOUT_BLOCKED16 = 1,  ///< [N, ceil(C/16), H, W, 16], lanes beyond C are zero
    SX_LAYOUT_NHWC = 2,       ///< [N, H, W, C], output of a convolution only
} sx_layout;

/// Channels in one block of the blocked layout: one pixel's block is one cache line.
enum { SX_BLOCK = 16 };

/// Channel blocks that hold `channels` channels.
static inline int64_t sx_blocks(int64_t channels) { return (channels + SX_BLOCK - 1) / SX_BLOCK; }

#endif
