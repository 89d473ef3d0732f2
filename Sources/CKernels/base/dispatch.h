/// Defines `kernels()`, which returns the strongest row of a family's table that the current ISA level allows.
/// Before including: SX_FAMILY names the struct type whose instances are SX_FAMILY_scalar, ..., SX_TABLE the table.
#include "sx_isa.h"

#define SX_JOIN_(a, b) a##_##b
#define SX_JOIN(a, b) SX_JOIN_(a, b)

#define SX_KERNELS(level, suffix) extern const SX_FAMILY SX_JOIN(SX_FAMILY, suffix);
#include SX_TABLE
#undef SX_KERNELS

static const SX_FAMILY *kernels(void) {
    const SX_FAMILY *best = NULL;
    sx_isa allowed = sx_isa_level();
#define SX_KERNELS(level, suffix) \
    if (allowed >= level) best = &SX_JOIN(SX_FAMILY, suffix);
#include SX_TABLE
#undef SX_KERNELS
    return best;
}
