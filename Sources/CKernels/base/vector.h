#ifndef SX_VECTOR_H
#define SX_VECTOR_H

// Sixteen lanes, whatever the ISA: one zmm register under AVX-512, a pair of ymm under AVX2. A kernel body written
// with these types is compiled once per ISA by a file that includes it inside a target-attribute region:
//
//     #include <immintrin.h>
//     #pragma clang attribute push(__attribute__((target(SX_TARGET_AVX512))), apply_to = function)
//     #include "body.h"
//     #pragma clang attribute pop
//
// The functions here take their caller's target, so this header belongs inside the region. Without a region (scalar
// rows, other processors) the compiler splits the lanes over what the baseline has; where that has no fused
// multiply-add, product and sum are rounded apart, because a call of fmaf per lane would cost a hundred times more.

#include <stdint.h>
#include <string.h>

// The vectors never cross a real call: everything that takes one by value is inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#define SX_INLINE static inline __attribute__((always_inline, unused))

typedef float sx_vec __attribute__((ext_vector_type(16)));
typedef int32_t sx_ivec __attribute__((ext_vector_type(16)));

SX_INLINE sx_vec sx_vec_load(const float *p) {
    sx_vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

SX_INLINE void sx_vec_store(float *p, sx_vec v) { memcpy(p, &v, sizeof v); }

/// `_load_first`: the first `count` lanes from memory, the others zero; nothing past them is read.
/// `_store_first`: stores the first `count` lanes; nothing past them is written.
#if defined(SX_VECTOR_AVX512)
SX_INLINE __mmask16 sx_vec_mask_first(int64_t count) {
    return (__mmask16)(count >= 16 ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}
SX_INLINE sx_vec sx_vec_load_first(const float *p, int64_t count) {
    return (sx_vec)_mm512_maskz_loadu_ps(sx_vec_mask_first(count), p);
}
SX_INLINE void sx_vec_store_first(float *p, sx_vec v, int64_t count) {
    _mm512_mask_storeu_ps(p, sx_vec_mask_first(count), (__m512)v);
}
#else
SX_INLINE sx_vec sx_vec_load_first(const float *p, int64_t count) {
    float lanes[16] __attribute__((aligned(64))) = {0};
    for (int64_t i = 0; i < count; i++) lanes[i] = p[i];
    return sx_vec_load(lanes);
}
SX_INLINE void sx_vec_store_first(float *p, sx_vec v, int64_t count) {
    float lanes[16] __attribute__((aligned(64)));
    sx_vec_store(lanes, v);
    for (int64_t i = 0; i < count; i++) p[i] = lanes[i];
}
#endif

SX_INLINE sx_vec sx_vec_set(float x) { return (sx_vec)x; }

#if defined(SX_VECTOR_BASELINE) && !defined(__FP_FAST_FMAF)
SX_INLINE sx_vec sx_vec_fma(sx_vec a, sx_vec b, sx_vec c) { return a * b + c; }
SX_INLINE float sx_fma(float a, float b, float c) { return a * b + c; }
#else
SX_INLINE sx_vec sx_vec_fma(sx_vec a, sx_vec b, sx_vec c) { return __builtin_elementwise_fma(a, b, c); }
/// One lane of `sx_vec_fma`.
SX_INLINE float sx_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#endif

/// Lanes of `a` where `mask` is all ones, of `b` where it is zero; comparisons give such masks.
SX_INLINE sx_vec sx_vec_select(sx_ivec mask, sx_vec a, sx_vec b) { return mask ? a : b; }

/// max(x, bound): a NaN in x stays.
SX_INLINE sx_vec sx_vec_at_least(sx_vec x, sx_vec bound) { return bound > x ? bound : x; }

/// min(x, bound): a NaN in x stays.
SX_INLINE sx_vec sx_vec_at_most(sx_vec x, sx_vec bound) { return bound < x ? bound : x; }

SX_INLINE sx_vec sx_vec_abs(sx_vec x) { return __builtin_elementwise_abs(x); }

/// `magnitude` (not negative) with the sign of `sign`.
SX_INLINE sx_vec sx_vec_with_sign(sx_vec magnitude, sx_vec sign) {
    return (sx_vec)((sx_ivec)magnitude | ((sx_ivec)sign & (sx_ivec)INT32_MIN));
}

/// All ones in the first `count` lanes.
SX_INLINE sx_ivec sx_vec_first_mask(int64_t count) {
    const sx_ivec lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return lane < (sx_ivec)(int32_t)count;
}

#define SX_TARGET_AVX2 "avx2,fma,f16c"
#define SX_TARGET_AVX512 "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,f16c"

#endif
