#ifndef SX_UNARY_H
#define SX_UNARY_H

#include <stdint.h>

/// Elementwise float32 functions of one argument; `a` and `b` are the two parameters some of them take.
/// ONNX semantics; NaN propagates through every one. Subnormal arguments and results may count as zero.
typedef enum {
    SX_UNARY_IDENTITY = 0,
    SX_UNARY_RELU,              ///< max(x, 0)
    SX_UNARY_LEAKY_RELU,        ///< x < 0 ? a x : x
    SX_UNARY_ELU,               ///< x < 0 ? a (exp(x) - 1) : x
    SX_UNARY_SELU,              ///< x > 0 ? b x : b a (exp(x) - 1)
    SX_UNARY_CELU,              ///< max(0, x) + min(0, a (exp(x / a) - 1))
    SX_UNARY_SIGMOID,           ///< 1 / (1 + exp(-x))
    SX_UNARY_TANH,
    SX_UNARY_EXP,
    SX_UNARY_LOG,
    SX_UNARY_SQRT,
    SX_UNARY_RECIPROCAL,
    SX_UNARY_ABS,
    SX_UNARY_NEG,
    SX_UNARY_FLOOR,
    SX_UNARY_CEIL,
    SX_UNARY_ROUND,             ///< to the nearest integer, halves to even
    SX_UNARY_ERF,
    SX_UNARY_GELU,              ///< x (1 + erf(x / sqrt 2)) / 2
    SX_UNARY_GELU_TANH,         ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    SX_UNARY_SILU,              ///< x sigmoid(x)
    SX_UNARY_SWISH,             ///< x sigmoid(a x)
    SX_UNARY_HARD_SIGMOID,      ///< max(0, min(1, a x + b))
    SX_UNARY_HARD_SWISH,        ///< x max(0, min(1, x / 6 + 1 / 2))
    SX_UNARY_SOFTPLUS,          ///< log(exp(x) + 1)
    SX_UNARY_SOFTSIGN,          ///< x / (1 + |x|)
    SX_UNARY_MISH,              ///< x tanh(softplus(x))
    SX_UNARY_SIN,
    SX_UNARY_COS,
    SX_UNARY_ASIN,
    SX_UNARY_ACOS,
    SX_UNARY_ATAN,
    SX_UNARY_CLIP,              ///< min(max(x, a), b)
    SX_UNARY_THRESHOLDED_RELU,  ///< x > a ? x : 0
    SX_UNARY_SIGN,              ///< -1, 0 or 1
    SX_UNARY_POW,               ///< x to the power a
    SX_UNARY_SCALE_SHIFT,       ///< a x + b
    SX_UNARY_COUNT
} sx_unary_op;

/// An elementwise function with its parameters; also the activation of a fused epilogue.
typedef struct {
    sx_unary_op op;
    float a, b;
} sx_activation;

/// y[i] = f(x[i]) for i in [0, n). `y` may be `x`; other overlap is not allowed. Any alignment.
/// An element's result does not depend on its place, on n or on the thread count.
void sx_unary(sx_activation f, const float *x, float *y, int64_t n, int threads);

#endif
