#ifndef SX_ROUND_H
#define SX_ROUND_H

#include "../base/vector.h"

typedef int8_t sx_bytes __attribute__((ext_vector_type(16)));
typedef uint8_t sx_ubytes __attribute__((ext_vector_type(16)));
typedef int16_t sx_shorts __attribute__((ext_vector_type(16)));

/// clip(x, low, high) to the nearest whole number, ties to even; NaN gives `low`. |low|, |high| are at most 2^22, so
/// that adding 1.5 2^23 leaves no bit for a fraction: no ISA level needs a rounding instruction.
SX_INLINE sx_ivec sx_round_within(sx_vec x, sx_vec low, sx_vec high) {
    const sx_vec whole = sx_vec_set(12582912.0f);
    sx_vec above = x > low ? x : low;
    return __builtin_convertvector((sx_vec_at_most(above, high) + whole) - whole, sx_ivec);
}

/// Stores the low bytes of the first `lanes` of a vector of whole numbers.
SX_INLINE void sx_store_bytes(void *y, sx_ivec value, int64_t lanes) {
    sx_bytes bytes = __builtin_convertvector(value, sx_bytes);
    if (lanes >= 16)
        memcpy(y, &bytes, 16);
    else
        memcpy(y, &bytes, (size_t)lanes);
}

#endif
