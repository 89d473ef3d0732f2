#include "../base/vector_sum.h"
#include "quant_kernels.h"
#include "round.h"

SX_INLINE sx_ivec load_whole(const int32_t *p, int64_t lanes) {
    sx_ivec v = 0;
    memcpy(&v, p, (size_t)(lanes < 16 ? lanes : 16) * sizeof(int32_t));
    return v;
}

SX_INLINE void quantize_some(
    const float *x, sx_vec scale, sx_ivec zero, int32_t low, int32_t high, char *y, const int byte_size,
    int64_t lanes) {
    sx_ivec least = (sx_ivec)low - zero, most = (sx_ivec)high - zero;
    sx_ivec whole = sx_round_within(
        sx_load_lanes(x, lanes) / scale, __builtin_convertvector(least, sx_vec),
        __builtin_convertvector(most, sx_vec)) + zero;
    if (byte_size == 1) {
        sx_store_bytes(y, whole, lanes);
    } else {
        sx_shorts shorts = __builtin_convertvector(whole, sx_shorts);
        memcpy(y, &shorts, (size_t)(lanes < 16 ? lanes : 16) * sizeof(int16_t));
    }
}

SX_INLINE void quantize_row(
    const float *x, const float *scale, const int32_t *zero, const int64_t step, int32_t low, int32_t high, char *y,
    const int byte_size, int64_t n) {
    sx_vec s = sx_vec_set(*scale);
    sx_ivec z = zero ? (sx_ivec)*zero : (sx_ivec)0;
    for (int64_t i = 0; i < n; i += 16) {
        int64_t lanes = n - i < 16 ? n - i : 16;
        if (step) {
            // Lanes past the end divide by one.
            s = sx_vec_select(sx_vec_first_mask(lanes), sx_load_lanes(scale + i, lanes), sx_vec_set(1.0f));
            if (zero) z = load_whole(zero + i, lanes);
        }
        quantize_some(x + i, s, z, low, high, y + i * byte_size, byte_size, lanes);
    }
}

static void quantize(
    const float *x, const float *scale, const int32_t *zero, int64_t step, int32_t low, int32_t high, void *y,
    int byte_size, int64_t n) {
    if (byte_size == 1)
        quantize_row(x, scale, zero, step, low, high, y, 1, n);
    else
        quantize_row(x, scale, zero, step, low, high, y, 2, n);
}

SX_INLINE void dequantize_row(
    const char *x, const bool is_signed, const float *scale, const int32_t *zero, const int64_t step, float *y,
    int64_t n) {
    sx_vec s = sx_vec_set(*scale);
    sx_ivec z = zero ? (sx_ivec)*zero : (sx_ivec)0;
    for (int64_t i = 0; i < n; i += 16) {
        int64_t lanes = n - i < 16 ? n - i : 16;
        sx_bytes bytes = 0;
        memcpy(&bytes, x + i, (size_t)lanes);
        sx_ivec whole =
            is_signed ? __builtin_convertvector(bytes, sx_ivec) : __builtin_convertvector((sx_ubytes)bytes, sx_ivec);
        if (step) {
            s = sx_load_lanes(scale + i, lanes);
            if (zero) z = load_whole(zero + i, lanes);
        }
        sx_vec_store_first(y + i, __builtin_convertvector(whole - z, sx_vec) * s, lanes);
    }
}

static void dequantize(
    const void *x, bool is_signed, const float *scale, const int32_t *zero, int64_t step, float *y, int64_t n) {
    if (is_signed)
        dequantize_row(x, true, scale, zero, step, y, n);
    else
        dequantize_row(x, false, scale, zero, step, y, n);
}

const sx_quant_kernels SX_ROW(sx_quant_kernels) = {quantize, dequantize};
