#ifndef SX_ISA_H
#define SX_ISA_H

/// Instruction-set levels that kernels exist for, weakest first.
typedef enum {
    SX_ISA_SCALAR = 0,
    SX_ISA_AVX2 = 1,    ///< AVX2 + FMA + F16C
    SX_ISA_AVX512 = 2,  ///< AVX-512 F, DQ, BW, VL
} sx_isa;

/// The strongest level that this CPU and operating system support, capped by the environment variable
/// `SARDONYX_ISA` (`scalar`, `avx2`, `avx512`; other values are ignored). Read once, at the first call.
sx_isa sx_isa_level(void);

/// The strongest level the machine supports, whatever the cap.
sx_isa sx_isa_supported(void);

/// `scalar`, `avx2` or `avx512`.
const char *sx_isa_name(sx_isa level);

/// Overrides the level of kernels that the calling thread starts, for tests that compare them; levels the machine
/// lacks are lowered.
void sx_isa_set_level(sx_isa level);

#endif
