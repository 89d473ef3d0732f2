#if defined(__x86_64__)
#include "../base/row_avx2.h"

// 6 x 16: twelve accumulators, two of B, one broadcast. B may come from L2: a step takes six cycles for its line. Six
// rows are few enough for the hardware to look ahead.
enum { TILE_ROWS = 6, TILE_VECTORS = 1, TILE_DEPTH = 768, TILE_BASE = 3, TILE_UNROLL = 16, TILE_FETCHED_ROWS = 0 };

#include "gemm_body.h"
#include "../base/row_end.h"
#endif
