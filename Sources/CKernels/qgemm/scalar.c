#include "../base/row_scalar.h"
#include "../base/vector.h"

enum { TILE_ROWS = 4, TILE_VECTORS = 1 };

typedef uint32_t sx_uvec __attribute__((ext_vector_type(16)));

typedef sx_ivec pairs16;

SX_INLINE pairs16 load_pairs(const int16_t *p) {
    pairs16 v;
    memcpy(&v, p, sizeof v);
    return v;
}

/// The low halves' products plus those of the high halves.
SX_INLINE sx_ivec add_pairs(sx_ivec sum, int32_t a, pairs16 b) {
    const sx_ivec low = (sx_ivec)((sx_uvec)b << 16) >> 16, high = b >> 16;
    return (sx_ivec)((sx_uvec)sum + (sx_uvec)(low * (int32_t)(int16_t)a) + (sx_uvec)(high * (a >> 16)));
}

#include "qgemm_body.h"
