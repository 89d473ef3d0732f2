#if defined(__x86_64__)
#include "../base/row_avx512.h"

// 12 x 32: 24 sums, two of B, one broadcast, products.
enum { TILE_ROWS = 12, TILE_VECTORS = 2 };

typedef __m512i pairs16;

SX_INLINE pairs16 load_pairs(const int16_t *p) { return _mm512_loadu_si512(p); }

SX_INLINE sx_ivec add_pairs(sx_ivec sum, int32_t a, pairs16 b) {
    return (sx_ivec)_mm512_add_epi32((__m512i)sum, _mm512_madd_epi16(_mm512_set1_epi32(a), b));
}

#include "qgemm_body.h"
#include "../base/row_end.h"
#endif
