#if defined(__x86_64__)
#include "../base/row_avx2.h"

// 6 x 16: twelve accumulators, two of B, one broadcast. B may come from L2: a step takes six cycles for its two lines.
enum { TILE_ROWS = 6, TILE_VECTORS = 1, TILE_DEPTH = 768, TILE_BASE = 3, TILE_UNROLL = 8 };

#include "gemm_body.h"
#include "../base/row_end.h"
#endif
