#ifndef SX_VECTOR_DOUBLE_H
#define SX_VECTOR_DOUBLE_H

// Eight doubles, as vector.h has sixteen floats; it, too, belongs inside a target-attribute region.

#include "vector.h"

typedef double sx_dvec8 __attribute__((ext_vector_type(8)));

SX_INLINE sx_dvec8 sx_dvec8_load(const double *p) {
    sx_dvec8 v;
    memcpy(&v, p, sizeof v);
    return v;
}

SX_INLINE void sx_dvec8_store(double *p, sx_dvec8 v) { memcpy(p, &v, sizeof v); }

/// The first `count` lanes from memory, the others zero; nothing past them is read.
SX_INLINE sx_dvec8 sx_dvec8_load_first(const double *p, int64_t count) {
    if (count >= 8) return sx_dvec8_load(p);
    double lanes[8] __attribute__((aligned(64))) = {0};
    for (int64_t i = 0; i < count; i++) lanes[i] = p[i];
    return sx_dvec8_load(lanes);
}

/// Stores the first `count` lanes; nothing past them is written.
SX_INLINE void sx_dvec8_store_first(double *p, sx_dvec8 v, int64_t count) {
    if (count >= 8) {
        sx_dvec8_store(p, v);
        return;
    }
    double lanes[8] __attribute__((aligned(64)));
    sx_dvec8_store(lanes, v);
    for (int64_t i = 0; i < count; i++) p[i] = lanes[i];
}

SX_INLINE sx_dvec8 sx_dvec8_set(double x) { return (sx_dvec8)x; }

#if defined(SX_VECTOR_BASELINE) && !defined(__FP_FAST_FMA)
SX_INLINE sx_dvec8 sx_dvec8_fma(sx_dvec8 a, sx_dvec8 b, sx_dvec8 c) { return a * b + c; }
#else
SX_INLINE sx_dvec8 sx_dvec8_fma(sx_dvec8 a, sx_dvec8 b, sx_dvec8 c) { return __builtin_elementwise_fma(a, b, c); }
#endif

#endif
