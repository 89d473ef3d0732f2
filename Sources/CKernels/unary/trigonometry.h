// Sine, cosine and their inverses on sixteen lanes, within 3 ulp; sine and cosine within 2 ulp, or 2^-24 absolutely
// near a zero past 2 pi.

/// sin of r + quadrant pi/2, |r| <= pi/4.
SX_INLINE sx_vec sx_vec_sin_reduced(sx_vec r, sx_ivec quadrant) {
    static const float s[] = {-0x1.555546p-3f, 0x1.110730p-7f, -0x1.993d98p-13f};
    static const float c[] = {0x1.55554ap-5f, -0x1.6c0c5ap-10f, 0x1.99f34ap-16f};
    sx_vec z = r * r;
    sx_vec sine = sx_vec_fma(z * sx_vec_polynomial(z, s, 3), r, r);
    sx_vec cosine = sx_vec_fma(z * z, sx_vec_polynomial(z, c, 3), sx_vec_fma(z, sx_vec_set(-0.5f), sx_vec_set(1.0f)));
    sx_vec y = sx_vec_select((quadrant & 1) == 0, sine, cosine);
    return (sx_vec)((sx_ivec)y ^ ((quadrant & 2) << 30));
}

/// sin of x + turn pi/2.
SX_INLINE sx_vec sx_vec_sin_turned(sx_vec x, int turn) {
    sx_vec n = __builtin_elementwise_rint(x * 0x1.45f306p-1f);
    // pi/2 in three parts: the first two have 11 bits, so that n times each is exact for n < 2^13.
    sx_vec r = sx_vec_fma(n, sx_vec_set(-0x1.92p+0f), x);
    r = sx_vec_fma(n, sx_vec_set(-0x1.fb4p-12f), r);
    r = sx_vec_fma(n, sx_vec_set(-0x1.4442d2p-24f), r);
    sx_ivec small = sx_vec_abs(x) <= 8192.0f;
    sx_ivec quadrant = __builtin_convertvector(sx_vec_select(small, n, sx_vec_set(0.0f)), sx_ivec);
    sx_vec y = sx_vec_sin_reduced(r, quadrant + turn);
    if (__builtin_reduce_and(small)) return y;
    for (int i = 0; i < 16; i++)
        if (!small[i]) y[i] = turn ? cosf(x[i]) : sinf(x[i]);
    return y;
}

SX_INLINE sx_vec sx_vec_sin(sx_vec x) { return sx_vec_sin_turned(x, 0); }
SX_INLINE sx_vec sx_vec_cos(sx_vec x) { return sx_vec_sin_turned(x, 1); }

/// pi/2 in two parts.
#define SX_HALF_PI 0x1.921fb6p+0f
#define SX_HALF_PI_REST -0x1.777a5cp-25f

/// asin of t in [-1/2, 1/2].
SX_INLINE sx_vec sx_vec_asin_small(sx_vec t) {
    static const float c[] = {0.1666666f, 0.07500504f, 0.044516955f, 0.031807728f, 0.014438571f, 0.0375165f};
    sx_vec z = t * t;
    return sx_vec_fma(t * z, sx_vec_polynomial(z, c, 6), t);
}

/// asin of sqrt((1 - a) / 2) for a in [1/2, 1]: half of acos(a).
SX_INLINE sx_vec sx_vec_half_acos(sx_vec a) {
    return sx_vec_asin_small(__builtin_elementwise_sqrt(sx_vec_fma(a, sx_vec_set(-0.5f), sx_vec_set(0.5f))));
}

/// NaN outside [-1, 1].
SX_INLINE sx_vec sx_vec_asin(sx_vec x) {
    sx_vec a = sx_vec_abs(x);
    sx_vec large = SX_HALF_PI - sx_vec_fma(sx_vec_set(2.0f), sx_vec_half_acos(a), sx_vec_set(-SX_HALF_PI_REST));
    return sx_vec_select(a <= 0.5f, sx_vec_asin_small(x), sx_vec_with_sign(large, x));
}

/// NaN outside [-1, 1].
SX_INLINE sx_vec sx_vec_acos(sx_vec x) {
    sx_vec a = sx_vec_abs(x), half = sx_vec_half_acos(a);
    sx_vec middle = SX_HALF_PI - (sx_vec_asin_small(x) - SX_HALF_PI_REST);
    sx_vec below = 2.0f * (SX_HALF_PI - (half - SX_HALF_PI_REST));
    return sx_vec_select(a <= 0.5f, middle, sx_vec_select(x < 0.0f, below, 2.0f * half));
}

SX_INLINE sx_vec sx_vec_atan(sx_vec x) {
    static const float c[] = {-0.333333f,   0.19998549f,   -0.14264241f, 0.10952185f,   -0.08403449f,
                              0.057957564f, -0.031177815f, 0.010914589f, -0.0017936177f};
    sx_vec a = sx_vec_abs(x);
    sx_ivec inverted = a > 1.0f;
    sx_vec t = sx_vec_select(inverted, 1.0f / a, a), z = t * t;
    sx_vec near = sx_vec_fma(t * z, sx_vec_polynomial(z, c, 9), t);
    sx_vec y = sx_vec_select(inverted, SX_HALF_PI - (near - SX_HALF_PI_REST), near);
    return sx_vec_with_sign(y, x);
}
