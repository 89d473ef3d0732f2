#include "../base/power.h"
#include "trigonometry.h"
#include "unary_kernels.h"

typedef sx_vec (*function)(sx_vec x, float a, float b);

SX_INLINE sx_vec f_identity(sx_vec x, float a, float b) { return x; }
SX_INLINE sx_vec f_relu(sx_vec x, float a, float b) { return sx_vec_at_least(x, sx_vec_set(0.0f)); }
SX_INLINE sx_vec f_leaky_relu(sx_vec x, float a, float b) { return sx_vec_select(x < 0.0f, a * x, x); }
SX_INLINE sx_vec f_elu(sx_vec x, float a, float b) { return sx_vec_select(x < 0.0f, a * sx_vec_expm1(x), x); }
SX_INLINE sx_vec f_selu(sx_vec x, float a, float b) {
    return b * sx_vec_select(x > 0.0f, x, a * sx_vec_expm1(x));
}
SX_INLINE sx_vec f_celu(sx_vec x, float a, float b) {
    sx_vec zero = sx_vec_set(0.0f);
    return sx_vec_at_least(x, zero) + sx_vec_at_most(a * sx_vec_expm1(x / a), zero);
}
SX_INLINE sx_vec f_sigmoid(sx_vec x, float a, float b) { return sx_vec_sigmoid(x); }
SX_INLINE sx_vec f_tanh(sx_vec x, float a, float b) { return sx_vec_tanh(x); }
SX_INLINE sx_vec f_exp(sx_vec x, float a, float b) { return sx_vec_exp(x); }
SX_INLINE sx_vec f_log(sx_vec x, float a, float b) { return sx_vec_log(x); }
SX_INLINE sx_vec f_sqrt(sx_vec x, float a, float b) { return __builtin_elementwise_sqrt(x); }
SX_INLINE sx_vec f_reciprocal(sx_vec x, float a, float b) { return 1.0f / x; }
SX_INLINE sx_vec f_abs(sx_vec x, float a, float b) { return sx_vec_abs(x); }
SX_INLINE sx_vec f_neg(sx_vec x, float a, float b) { return -x; }
SX_INLINE sx_vec f_floor(sx_vec x, float a, float b) { return __builtin_elementwise_floor(x); }
SX_INLINE sx_vec f_ceil(sx_vec x, float a, float b) { return __builtin_elementwise_ceil(x); }
SX_INLINE sx_vec f_round(sx_vec x, float a, float b) { return __builtin_elementwise_rint(x); }
SX_INLINE sx_vec f_erf(sx_vec x, float a, float b) { return sx_vec_erf(x); }
SX_INLINE sx_vec f_gelu(sx_vec x, float a, float b) { return sx_vec_gelu(x); }
SX_INLINE sx_vec f_gelu_tanh(sx_vec x, float a, float b) {
    // x / (1 + e^-2u) equals x (1 + tanh u) / 2 without its cancellation.
    sx_vec u = x * 1.5957691f * sx_vec_fma(x * x, sx_vec_set(0.044715f), sx_vec_set(1.0f));
    return x * sx_vec_sigmoid(u);
}
SX_INLINE sx_vec f_silu(sx_vec x, float a, float b) { return x * sx_vec_sigmoid(x); }
SX_INLINE sx_vec f_swish(sx_vec x, float a, float b) { return x * sx_vec_sigmoid(a * x); }
SX_INLINE sx_vec unit_clip(sx_vec x) {
    return sx_vec_at_most(sx_vec_at_least(x, sx_vec_set(0.0f)), sx_vec_set(1.0f));
}
SX_INLINE sx_vec f_hard_sigmoid(sx_vec x, float a, float b) { return unit_clip(a * x + b); }
SX_INLINE sx_vec f_hard_swish(sx_vec x, float a, float b) { return x * unit_clip(x * (1.0f / 6.0f) + 0.5f); }
SX_INLINE sx_vec f_softplus(sx_vec x, float a, float b) { return sx_vec_softplus(x); }
SX_INLINE sx_vec f_softsign(sx_vec x, float a, float b) { return x / (1.0f + sx_vec_abs(x)); }
SX_INLINE sx_vec f_mish(sx_vec x, float a, float b) { return sx_vec_mish(x); }
SX_INLINE sx_vec f_sin(sx_vec x, float a, float b) { return sx_vec_sin(x); }
SX_INLINE sx_vec f_cos(sx_vec x, float a, float b) { return sx_vec_cos(x); }
SX_INLINE sx_vec f_asin(sx_vec x, float a, float b) { return sx_vec_asin(x); }
SX_INLINE sx_vec f_acos(sx_vec x, float a, float b) { return sx_vec_acos(x); }
SX_INLINE sx_vec f_atan(sx_vec x, float a, float b) { return sx_vec_atan(x); }
SX_INLINE sx_vec f_clip(sx_vec x, float a, float b) {
    return sx_vec_at_most(sx_vec_at_least(x, sx_vec_set(a)), sx_vec_set(b));
}
SX_INLINE sx_vec f_thresholded_relu(sx_vec x, float a, float b) {
    return sx_vec_select(x > a, x, sx_vec_set(0.0f));
}
SX_INLINE sx_vec f_sign(sx_vec x, float a, float b) {
    sx_vec sign = sx_vec_select(x < 0.0f, sx_vec_set(-1.0f), x);
    return sx_vec_select(x > 0.0f, sx_vec_set(1.0f), sign);
}
SX_INLINE sx_vec f_square(sx_vec x, float a, float b) { return x * x; }
SX_INLINE sx_vec f_cube(sx_vec x, float a, float b) { return x * x * x; }
SX_INLINE sx_vec f_scale_shift(sx_vec x, float a, float b) { return a * x + b; }

SX_INLINE void map(const float *x, float *y, int64_t n, sx_activation p, function f) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) sx_vec_store(y + i, f(sx_vec_load(x + i), p.a, p.b));
    if (i < n) sx_vec_store_first(y + i, f(sx_vec_load_first(x + i, n - i), p.a, p.b), n - i);
}

static void pow_row(const float *x, float *y, int64_t n, sx_activation p) {
    if (p.a == 1.0f)
        map(x, y, n, p, f_identity);
    else if (p.a == 2.0f)
        map(x, y, n, p, f_square);
    else if (p.a == 3.0f)
        map(x, y, n, p, f_cube);
    else
        for (int64_t i = 0; i < n; i++) y[i] = sx_pow(x[i], p.a);
}

static void row(sx_activation p, const float *x, float *y, int64_t n) {
    switch (p.op) {
    case SX_UNARY_IDENTITY: map(x, y, n, p, f_identity); break;
    case SX_UNARY_RELU: map(x, y, n, p, f_relu); break;
    case SX_UNARY_LEAKY_RELU: map(x, y, n, p, f_leaky_relu); break;
    case SX_UNARY_ELU: map(x, y, n, p, f_elu); break;
    case SX_UNARY_SELU: map(x, y, n, p, f_selu); break;
    case SX_UNARY_CELU: map(x, y, n, p, f_celu); break;
    case SX_UNARY_SIGMOID: map(x, y, n, p, f_sigmoid); break;
    case SX_UNARY_TANH: map(x, y, n, p, f_tanh); break;
    case SX_UNARY_EXP: map(x, y, n, p, f_exp); break;
    case SX_UNARY_LOG: map(x, y, n, p, f_log); break;
    case SX_UNARY_SQRT: map(x, y, n, p, f_sqrt); break;
    case SX_UNARY_RECIPROCAL: map(x, y, n, p, f_reciprocal); break;
    case SX_UNARY_ABS: map(x, y, n, p, f_abs); break;
    case SX_UNARY_NEG: map(x, y, n, p, f_neg); break;
    case SX_UNARY_FLOOR: map(x, y, n, p, f_floor); break;
    case SX_UNARY_CEIL: map(x, y, n, p, f_ceil); break;
    case SX_UNARY_ROUND: map(x, y, n, p, f_round); break;
    case SX_UNARY_ERF: map(x, y, n, p, f_erf); break;
    case SX_UNARY_GELU: map(x, y, n, p, f_gelu); break;
    case SX_UNARY_GELU_TANH: map(x, y, n, p, f_gelu_tanh); break;
    case SX_UNARY_SILU: map(x, y, n, p, f_silu); break;
    case SX_UNARY_SWISH: map(x, y, n, p, f_swish); break;
    case SX_UNARY_HARD_SIGMOID: map(x, y, n, p, f_hard_sigmoid); break;
    case SX_UNARY_HARD_SWISH: map(x, y, n, p, f_hard_swish); break;
    case SX_UNARY_SOFTPLUS: map(x, y, n, p, f_softplus); break;
    case SX_UNARY_SOFTSIGN: map(x, y, n, p, f_softsign); break;
    case SX_UNARY_MISH: map(x, y, n, p, f_mish); break;
    case SX_UNARY_SIN: map(x, y, n, p, f_sin); break;
    case SX_UNARY_COS: map(x, y, n, p, f_cos); break;
    case SX_UNARY_ASIN: map(x, y, n, p, f_asin); break;
    case SX_UNARY_ACOS: map(x, y, n, p, f_acos); break;
    case SX_UNARY_ATAN: map(x, y, n, p, f_atan); break;
    case SX_UNARY_CLIP: map(x, y, n, p, f_clip); break;
    case SX_UNARY_THRESHOLDED_RELU: map(x, y, n, p, f_thresholded_relu); break;
    case SX_UNARY_SIGN: map(x, y, n, p, f_sign); break;
    case SX_UNARY_POW: pow_row(x, y, n, p); break;
    case SX_UNARY_SCALE_SHIFT: map(x, y, n, p, f_scale_shift); break;
    case SX_UNARY_COUNT: break;
    }
}

const sx_unary_kernels SX_ROW(sx_unary_kernels) = {row};
