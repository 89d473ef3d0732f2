#ifndef SX_SIZES_H
#define SX_SIZES_H

#include <stdint.h>

static inline int64_t sx_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t sx_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t sx_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t sx_round_up(int64_t a, int64_t b) { return sx_ceil_div(a, b) * b; }

#endif
