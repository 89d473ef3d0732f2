#if defined(__x86_64__)
#include "../base/row_avx2.h"

// 6 x 16: twelve sums, two of B, one broadcast, one product.
enum { TILE_ROWS = 6, TILE_VECTORS = 1 };

typedef struct {
    __m256i half[2];
} pairs16;

SX_INLINE pairs16 load_pairs(const int16_t *p) {
    return (pairs16){{_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 16))}};
}

SX_INLINE sx_ivec add_pairs(sx_ivec sum, int32_t a, pairs16 b) {
    const __m256i x = _mm256_set1_epi32(a);
    __m256i halves[2];
    memcpy(halves, &sum, sizeof sum);
#pragma unroll
    for (int i = 0; i < 2; i++) halves[i] = _mm256_add_epi32(halves[i], _mm256_madd_epi16(x, b.half[i]));
    memcpy(&sum, halves, sizeof sum);
    return sum;
}

#include "qgemm_body.h"
#include "../base/row_end.h"
#endif
