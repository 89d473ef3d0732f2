/// Begins a family's row for baseline instructions: what follows is compiled for it and named by SX_ROW.
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SX_VECTOR_BASELINE
#define SX_ROW(name) name##_scalar

#include "vector.h"
#include "vector_math.h"
