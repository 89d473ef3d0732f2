// The rows of the table; padded arrays (sx_detect.h) are read and written in whole vectors.

#include "detect_kernels.h"

typedef uint8_t byte_vec __attribute__((ext_vector_type(16)));

/// base[index[lane]].
SX_INLINE sx_vec gather(const float *base, sx_ivec index) {
#if defined(SX_VECTOR_AVX512)
    return _mm512_i32gather_ps((__m512i)index, base, 4);
#elif defined(SX_VECTOR_BASELINE)
    sx_vec v;
    for (int lane = 0; lane < 16; lane++) v[lane] = base[index[lane]];
    return v;
#else
    sx_vec v;
    v.lo = _mm256_i32gather_ps(base, (__m256i)index.lo, 4);
    v.hi = _mm256_i32gather_ps(base, (__m256i)index.hi, 4);
    return v;
#endif
}

/// One bit a lane, set where the comparison held.
SX_INLINE uint32_t lane_bits(sx_ivec mask) {
#if defined(SX_VECTOR_AVX512)
    return _mm512_movepi32_mask((__m512i)mask);
#elif defined(SX_VECTOR_BASELINE)
    uint32_t bits = 0;
    for (int lane = 0; lane < 16; lane++) bits |= (uint32_t)(mask[lane] & 1) << lane;
    return bits;
#else
    const uint32_t low = (uint32_t)_mm256_movemask_ps((__m256)mask.lo);
    return low | (uint32_t)_mm256_movemask_ps((__m256)mask.hi) << 8;
#endif
}

SX_INLINE sx_ivec load_indices(const int32_t *p) {
    sx_ivec v;
    memcpy(&v, p, sizeof v);
    return v;
}

SX_INLINE sx_vec load_bytes(const uint8_t *p, int64_t count) {
    byte_vec v = 0;
    if (count >= 16) {
        memcpy(&v, p, sizeof v);
    } else {
        for (int64_t i = 0; i < count; i++) v[i] = p[i];
    }
    return __builtin_convertvector(v, sx_vec);
}

static void blend_rows(const uint8_t *above, const uint8_t *below, float weight, int64_t n, float *row) {
    const sx_vec far = sx_vec_set(weight), near = sx_vec_set(1.0f - weight);
    for (int64_t i = 0; i < n; i += 16)
        sx_vec_store(row + i, load_bytes(above + i, n - i) * near + load_bytes(below + i, n - i) * far);
}

static void resample_row(const float *row, sx_detect_axis axis, int64_t n, float mean, float scale, float *out) {
    for (int64_t i = 0; i < n; i += 16) {
        const sx_ivec at = load_indices(axis.index + i) * 3;
        const sx_vec weight = sx_vec_load(axis.weight + i);
        const sx_vec value = gather(row, at) * (1.0f - weight) + gather(row + 3, at) * weight;
        const sx_vec result = (value - mean) * scale;
        if (n - i >= 16) {
            sx_vec_store(out + i, result);
        } else {
            sx_vec_store_first(out + i, result, n - i);
        }
    }
}

static bool any_above(const float *x, int64_t n, float threshold) {
    if (n < 16) {
        for (int64_t i = 0; i < n; i++)
            if (x[i] > threshold) return true;
        return false;
    }
    // The last vector overlaps the one before.
    sx_ivec found = sx_vec_load(x + n - 16) > threshold;
    for (int64_t i = 0; i + 16 <= n; i += 16) found |= sx_vec_load(x + i) > threshold;
    return lane_bits(found) != 0;
}

SX_INLINE sx_vec finished(sx_vec sum, bool sigmoid) { return sigmoid ? sx_vec_sigmoid(sum) : sum; }

static void combine(
    const float *proto, int64_t stride, const float *coefficients, int64_t count, int64_t n, bool sigmoid,
    float *out) {
    int64_t i = 0;
    for (; n - i > 48; i += 64) {
        sx_vec s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        const float *p = proto + i;
        for (int64_t k = 0; k < count; k++, p += stride) {
            const sx_vec c = sx_vec_set(coefficients[k]);
            s0 = sx_vec_fma(c, sx_vec_load(p), s0);
            s1 = sx_vec_fma(c, sx_vec_load(p + 16), s1);
            s2 = sx_vec_fma(c, sx_vec_load(p + 32), s2);
            s3 = sx_vec_fma(c, sx_vec_load(p + 48), s3);
        }
        sx_vec_store(out + i, finished(s0, sigmoid));
        sx_vec_store(out + i + 16, finished(s1, sigmoid));
        sx_vec_store(out + i + 32, finished(s2, sigmoid));
        sx_vec_store(out + i + 48, finished(s3, sigmoid));
    }
    for (; i < n; i += 16) {
        sx_vec even = 0, odd = 0;
        const float *p = proto + i;
        int64_t k = 0;
        for (; k + 2 <= count; k += 2, p += 2 * stride) {
            even = sx_vec_fma(sx_vec_set(coefficients[k]), sx_vec_load(p), even);
            odd = sx_vec_fma(sx_vec_set(coefficients[k + 1]), sx_vec_load(p + stride), odd);
        }
        if (k < count) even = sx_vec_fma(sx_vec_set(coefficients[k]), sx_vec_load(p), even);
        sx_vec_store(out + i, finished(even + odd, sigmoid));
    }
}

static void stretch(const float *column, int32_t first, sx_detect_axis axis, int64_t n, float *out) {
    for (int64_t i = 0; i < n; i += 16) {
        // Entries past n may point outside the column.
        const sx_ivec at = (load_indices(axis.index + i) - first) & sx_vec_first_mask(n - i);
        const sx_vec weight = sx_vec_load(axis.weight + i);
        sx_vec_store(out + i, gather(column, at) * (1.0f - weight) + gather(column + 1, at) * weight);
    }
}

static void blend(const float *a, const float *b, float weight, float threshold, int64_t n, uint64_t *bits) {
    const sx_vec far = sx_vec_set(weight), near = sx_vec_set(1.0f - weight);
    for (int64_t start = 0; start < n; start += 64) {
        uint64_t word = 0;
        for (int64_t i = start; i < n && i < start + 64; i += 16) {
            const sx_vec value = sx_vec_load(a + i) * near + sx_vec_load(b + i) * far;
            word |= (uint64_t)lane_bits(value > threshold) << (i - start);
        }
        if (n - start < 64) word &= ((uint64_t)1 << (n - start)) - 1;
        bits[start / 64] = word;
    }
}

static bool overlaps(const float *blocks, int64_t count, const sx_detect_box *box, sx_detect_overlap_rule rule) {
    for (int64_t i = 0; i < count; i += 16, blocks += 5 * 16) {
        const sx_vec left = sx_vec_at_least(sx_vec_load(blocks), sx_vec_set(box->x1));
        const sx_vec top = sx_vec_at_least(sx_vec_load(blocks + 16), sx_vec_set(box->y1));
        const sx_vec right = sx_vec_at_most(sx_vec_load(blocks + 32), sx_vec_set(box->x2));
        const sx_vec bottom = sx_vec_at_most(sx_vec_load(blocks + 48), sx_vec_set(box->y2));
        const sx_vec width = sx_vec_at_least(right - left + rule.extent, sx_vec_set(0.0f));
        const sx_vec height = sx_vec_at_least(bottom - top + rule.extent, sx_vec_set(0.0f));
        const sx_vec shared = width * height;
        const sx_vec iou = shared / (sx_vec_load(blocks + 64) + box->area - shared);
        sx_ivec found = rule.comparison == SX_DETECT_ABOVE      ? iou > rule.threshold
                        : rule.comparison == SX_DETECT_AT_LEAST ? iou >= rule.threshold
                                                                : ~(iou <= rule.threshold);
        if (count - i < 16) found &= sx_vec_first_mask(count - i);
        if (lane_bits(found) != 0) return true;
    }
    return false;
}

const sx_detect_kernels SX_ROW(sx_detect_kernels) = {
    blend_rows, resample_row, any_above, combine, stretch, blend, overlaps,
};
