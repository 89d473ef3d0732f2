#include "../base/row_scalar.h"

// One row of sixteen lanes is four of the baseline's registers.
enum { TILE_ROWS = 2, TILE_VECTORS = 1, TILE_DEPTH = 256, TILE_BASE = 2, TILE_UNROLL = 1, TILE_FETCHED_ROWS = 2 };

#include "gemm_body.h"
