#ifndef SX_HALF_H
#define SX_HALF_H

#include <stdint.h>
#include <string.h>

static inline float sx_float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static inline uint32_t sx_bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

/// IEEE binary16 to float32, exact.
static inline float sx_from_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
    // Subnormals count in steps of 2^-24: as an integer times that they never pass through a float32 subnormal.
    uint32_t subnormal = sx_bits_of((float)rest * 0x1p-24f);
    uint32_t normal = (rest << 13) + (112u << 23), special = (rest << 13) | 0x7f800000;
    return sx_float_of((rest >= 0x7c00 ? special : rest < 0x0400 ? subnormal : normal) | sign);
}

/// float32 to IEEE binary16, to nearest even; NaN stays NaN.
static inline uint16_t sx_to_half(float x) {
    uint32_t bits = sx_bits_of(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    // Subnormal results: adding 0.5 leaves the rounded significand in the low bits.
    uint32_t subnormal = sx_bits_of(sx_float_of(magnitude) + 0.5f) - 0x3f000000;
    uint32_t normal = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
    uint32_t result = magnitude < 0x38800000 ? subnormal : normal;
    result = magnitude >= 0x477ff000 ? 0x7c00 : result;
    result = magnitude > 0x7f800000 ? 0x7e00 : result;
    return (uint16_t)(sign | result);
}

/// float32 to bfloat16, to nearest even; NaN stays NaN.
static inline uint16_t sx_to_bfloat16(float x) {
    uint32_t bits = sx_bits_of(x), rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)(x == x ? rounded : (bits >> 16 | 0x40));
}

/// float64 to float32 with an odd last bit where inexact: a second rounding to a narrower type is then correct.
static inline float sx_round_to_odd(double x) {
    float nearest = (float)x;
    uint32_t bits = sx_bits_of(nearest);
    double magnitude = x < 0 ? -x : x, rounded = nearest < 0 ? -(double)nearest : (double)nearest;
    // Toward zero first, then the last bit set; infinity from a finite x becomes the largest number, which overflows
    // the narrower type just as well.
    uint32_t truncated = rounded > magnitude ? bits - 1 : bits;
    return sx_float_of(rounded == magnitude || x != x ? bits : truncated | 1);
}

#endif
