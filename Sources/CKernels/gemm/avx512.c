#if defined(__x86_64__)
#include "../base/row_avx512.h"

// 14 x 32: 28 accumulators, two of B; the broadcasts are memory operands. 256 x 32 of B take 32 KiB of L1.
enum { TILE_ROWS = 14, TILE_VECTORS = 2, TILE_DEPTH = 256, TILE_BASE = 14, TILE_UNROLL = 4, TILE_FETCHED_ROWS = 0 };

#include "gemm_body.h"
#include "../base/row_end.h"
#endif
