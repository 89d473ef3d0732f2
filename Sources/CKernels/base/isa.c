#include "sx_isa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

sx_isa sx_isa_supported(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return SX_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SX_ISA_AVX2;
#endif
    return SX_ISA_SCALAR;
}

const char *sx_isa_name(sx_isa level) {
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    return names[level];
}

static _Atomic int current_level = -1;
static _Thread_local int thread_level = -1;

void sx_isa_set_level(sx_isa level) {
    sx_isa supported = sx_isa_supported();
    thread_level = level < supported ? (int)level : (int)supported;
}

sx_isa sx_isa_level(void) {
    if (thread_level >= 0) return (sx_isa)thread_level;
    int level = atomic_load_explicit(&current_level, memory_order_relaxed);
    if (level >= 0) return (sx_isa)level;
    sx_isa chosen = sx_isa_supported();
    const char *cap = getenv("SARDONYX_ISA");
    for (int candidate = 0; cap && candidate < (int)chosen; candidate++)
        if (strcmp(cap, sx_isa_name((sx_isa)candidate)) == 0) chosen = (sx_isa)candidate;
    int expected = -1;
    atomic_compare_exchange_strong(&current_level, &expected, (int)chosen);
    return (sx_isa)atomic_load(&current_level);
}
