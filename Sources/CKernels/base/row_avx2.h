/// Begins a family's row for AVX2 with FMA:
/// what follows up to row_end.h is compiled for it and named by SX_ROW.
#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define SX_ROW(name) name##_avx2

#include "vector.h"
#include "vector_math.h"
