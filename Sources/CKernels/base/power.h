#ifndef SX_POWER_H
#define SX_POWER_H

#include <float.h>
#include <math.h>

/// powf for the mode that kernels run in: there a subnormal base counts as zero, but powf scales one by arithmetic
/// that this mode turns off.
static inline float sx_pow(float x, float y) {
    return powf(fabsf(x) < FLT_MIN ? copysignf(0.0f, x) : x, y);
}

#endif
