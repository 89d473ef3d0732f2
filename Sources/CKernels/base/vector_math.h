#ifndef SX_VECTOR_MATH_H
#define SX_VECTOR_MATH_H

// Elementary functions on sixteen lanes, within 3 ulp of the exact value over the whole range where the result is a
// normal number (each function's own note says more); NaN propagates, infinities give the limits. The polynomials
// are minimax fits made for these intervals (Lawson-weighted least squares in double precision).

#include "vector.h"

/// sum of c[i] x^i, i in [0, count).
SX_INLINE sx_vec sx_vec_polynomial(sx_vec x, const float *c, int count) {
    sx_vec sum = sx_vec_set(c[count - 1]);
#pragma unroll
    for (int i = count - 2; i >= 0; i--) sum = sx_vec_fma(sum, x, sx_vec_set(c[i]));
    return sum;
}

/// 2^n p for whole n in [-252, 254] or NaN.
#if defined(SX_VECTOR_AVX512)
SX_INLINE sx_vec sx_vec_scale(sx_vec p, sx_vec n) { return (sx_vec)_mm512_scalef_ps((__m512)p, (__m512)n); }
#else
SX_INLINE sx_vec sx_vec_scale(sx_vec p, sx_vec n) {
    // By two factors, so that overflow and gradual underflow come out right. A NaN is in p too.
    sx_ivec whole = __builtin_convertvector(sx_vec_select(n == n, n, sx_vec_set(0.0f)), sx_ivec), half = whole >> 1;
    sx_vec first = (sx_vec)((half + 127) << 23), second = (sx_vec)((whole - half + 127) << 23);
    return p * first * second;
}
#endif

/// 1 / d, within 1 ulp, for 1 <= d < infinity; where that is subnormal it may be 0.
SX_INLINE sx_vec sx_vec_reciprocal(sx_vec d) {
#if defined(SX_VECTOR_AVX512)
    // An estimate of 14 bits and a Newton step take a third of the time of a division.
    sx_vec estimate = (sx_vec)_mm512_rcp14_ps((__m512)d);
    return sx_vec_fma(estimate, sx_vec_fma(-d, estimate, sx_vec_set(1.0f)), estimate);
#else
    return 1.0f / d;
#endif
}

/// 1.5 2^23: adding it leaves no bits for a fraction.
#define SX_EXP_ROUNDER 12582912.0f

/// e^(x - n ln 2) for the whole number n next to x / ln 2.
SX_INLINE sx_vec sx_vec_exp_fraction(sx_vec x, sx_vec n) {
    static const float c[] = {1.0f, 1.0f, 0.5f, 0.16666506f, 0.04166617f, 0.008370322f, 0.001395297f};
    // ln 2 in two parts: n times the first, of few bits, is exact.
    sx_vec r = sx_vec_fma(n, sx_vec_set(-0.693359375f), x);
    r = sx_vec_fma(n, sx_vec_set(2.12194440e-4f), r);
    return sx_vec_polynomial(r, c, 7);
}

/// e^x for x in [-104, 89] or NaN.
SX_INLINE sx_vec sx_vec_exp_bounded(sx_vec x) {
    sx_vec n = sx_vec_fma(x, sx_vec_set(1.44269504f), sx_vec_set(SX_EXP_ROUNDER)) - SX_EXP_ROUNDER;
    return sx_vec_scale(sx_vec_exp_fraction(x, n), n);
}

/// e^x.
SX_INLINE sx_vec sx_vec_exp(sx_vec x) {
    // Beyond these bounds the result is 0 or infinity anyway.
    return sx_vec_exp_bounded(sx_vec_at_most(sx_vec_at_least(x, sx_vec_set(-104.0f)), sx_vec_set(89.0f)));
}

/// e^x - 1, accurate near 0.
SX_INLINE sx_vec sx_vec_expm1(sx_vec x) {
    static const float c[] = {0.50000006f, 0.16666669f, 0.041665316f, 0.008333073f, 0.0013997452f, 0.00019992892f};
    sx_vec small = sx_vec_fma(x * x, sx_vec_polynomial(x, c, 6), x);
    return sx_vec_select(sx_vec_abs(x) < 0.5f, small, sx_vec_exp(x) - 1.0f);
}

/// Natural logarithm; -infinity at 0, NaN below. Exact to 2 ulp for subnormals too.
SX_INLINE sx_vec sx_vec_log(sx_vec x) {
    static const float c[] = {0.33333316f, -0.2500081f,  0.20002286f, -0.16624554f,
                              0.14181194f, -0.13128768f, 0.12881637f, -0.07859563f};
    sx_ivec tiny = x < 1.17549435e-38f;
    sx_vec scaled = sx_vec_select(tiny, x * 8388608.0f, x);
    sx_ivec bits = (sx_ivec)scaled - 0x3f3504f3;  // the mantissa's interval becomes [sqrt 1/2, sqrt 2)
    sx_vec e = __builtin_convertvector((bits >> 23) - (tiny & 23), sx_vec);
    sx_vec f = (sx_vec)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    sx_vec tail = f * f * sx_vec_fma(f, sx_vec_polynomial(f, c, 8), sx_vec_set(-0.5f));
    tail = sx_vec_fma(e, sx_vec_set(-2.12194440e-4f), tail);
    sx_vec result = sx_vec_fma(e, sx_vec_set(0.693359375f), tail + f);
    const float infinity = __builtin_inff();
    result = sx_vec_select(x < infinity, result, x);
    result = sx_vec_select(x == 0.0f, sx_vec_set(-infinity), result);
    return sx_vec_select(x < 0.0f, sx_vec_set(__builtin_nanf("")), result);
}

/// log(1 + x), accurate near 0.
SX_INLINE sx_vec sx_vec_log1p(sx_vec x) {
    sx_vec u = x + 1.0f;
    // What rounding 1 + x lost, to first order.
    sx_vec result = sx_vec_log(u) + (x - (u - 1.0f)) / u;
    return sx_vec_select((u < __builtin_inff()) & (u > 0.0f), result, sx_vec_log(u));
}

/// e^x for x in [-87, 88] or NaN: the result and 2^n are normal numbers, so that one addition to the exponent scales.
SX_INLINE sx_vec sx_vec_exp_normal(sx_vec x) {
#if defined(SX_VECTOR_AVX512)
    return sx_vec_exp_bounded(x);
#else
    sx_vec shifted = sx_vec_fma(x, sx_vec_set(1.44269504f), sx_vec_set(SX_EXP_ROUNDER));
    sx_vec p = sx_vec_exp_fraction(x, shifted - SX_EXP_ROUNDER);
    // The lowest bits of the sum are n.
    sx_vec scaled = (sx_vec)((sx_ivec)p + ((sx_ivec)shifted << 23));
    return sx_vec_select(x == x, scaled, x);
#endif
}

/// 1 / (1 + e^-x); 0 from where that is subnormal.
SX_INLINE sx_vec sx_vec_sigmoid(sx_vec x) {
    // Beyond 87, e^-x vanishes beside 1.
    sx_vec bounded = sx_vec_at_most(sx_vec_at_least(x, sx_vec_set(-88.0f)), sx_vec_set(87.0f));
    return sx_vec_reciprocal(1.0f + sx_vec_exp_normal(-bounded));
}

SX_INLINE sx_vec sx_vec_tanh(sx_vec x) {
    static const float c[] = {-0.33333284f, 0.13331491f, -0.053743497f, 0.020650579f, -0.005717036f};
    sx_vec a = sx_vec_abs(x), square = x * x;
    sx_vec small = sx_vec_fma(x * square, sx_vec_polynomial(square, c, 5), x);
    // Beyond 44, e^2a is still finite and the quotient vanishes.
    sx_vec exponent = sx_vec_at_most(a + a, sx_vec_set(88.0f));
    sx_vec large = 1.0f - 2.0f * sx_vec_reciprocal(sx_vec_exp_normal(exponent) + 1.0f);
    return sx_vec_select(a < 0.625f, small, sx_vec_with_sign(large, x));
}

SX_INLINE sx_vec sx_vec_erf(sx_vec x) {
    static const float near[] = {1.1283791f,   -0.37612626f,  0.112835854f, -0.026853813f,
                                 0.0051883277f, -0.0008010193f, 7.853858e-05f};
    // log(1 - erf(a)) on [1, 4]; beyond, erf rounds to 1.
    static const float far[] = {0.00020435851f,  -1.1296612f,    -0.63303965f,  -0.10863898f,  0.025373543f,
                                -0.0042823763f, 0.00046378624f, -2.5314524e-05f, 2.5130703e-07f};
    sx_vec a = sx_vec_at_most(sx_vec_abs(x), sx_vec_set(4.0f));
    sx_vec small = x * sx_vec_polynomial(x * x, near, 7);
    sx_vec large = 1.0f - sx_vec_exp_normal(sx_vec_polynomial(a, far, 9));
    return sx_vec_select(a < 1.0f, small, sx_vec_with_sign(large, x));
}

/// x times the normal distribution function of x: 0 at -infinity. Within 1e-7 max(1, |x|).
SX_INLINE sx_vec sx_vec_gelu(sx_vec x) {
    // log(erfc(a / sqrt 2) / 2) on [0, 12.9]; beyond, the tail vanishes beside everything.
    static const float c[] = {-0.69314718f,   -0.79788637f,    -0.3182863f,    -0.036435865f,   0.0049791844f,
                              -0.00016712311f, -9.708661e-05f, 2.0883115e-05f, -1.7007945e-06f, 4.932572e-08f};
    sx_vec a = sx_vec_at_most(sx_vec_abs(x), sx_vec_set(12.9f));
    return sx_vec_fma(-a, sx_vec_exp_normal(sx_vec_polynomial(a, c, 10)), sx_vec_at_least(x, sx_vec_set(0.0f)));
}

/// log(1 + e^x).
SX_INLINE sx_vec sx_vec_softplus(sx_vec x) {
    return sx_vec_at_least(x, sx_vec_set(0.0f)) + sx_vec_log1p(sx_vec_exp(-sx_vec_abs(x)));
}

/// x tanh(log(1 + e^x)): with t = e^x the quotient (t^2 + 2 t) / (t^2 + 2 t + 2); past 20 it rounds to x.
/// Within 3 ulp down to -87, where e^x leaves the normal numbers.
SX_INLINE sx_vec sx_vec_mish(sx_vec x) {
    sx_vec t = sx_vec_exp(sx_vec_at_most(x, sx_vec_set(20.0f)));
    sx_vec s = t * (t + 2.0f);
    return sx_vec_select(x > 20.0f, x, x * (s / (s + 2.0f)));
}

#endif
