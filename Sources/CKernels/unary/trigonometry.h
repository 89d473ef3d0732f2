// Sine and cosine on sixteen lanes, within 2 ulp, or 2^-24 absolutely near a zero past 2 pi.

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
