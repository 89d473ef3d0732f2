#include "peak_kernels.h"

static float multiply_add(int64_t rounds) {
    sx_vec sum[CHAINS], a = sx_vec_set(0.999f), b = sx_vec_set(0.001f);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) sum[i] = sx_vec_set((float)i);
    for (int64_t r = 0; r < rounds * (SX_PEAK_MACS_PER_ROUND / 16 / CHAINS); r++)
#pragma unroll
        for (int i = 0; i < CHAINS; i++) sum[i] = sx_vec_fma(sum[i], a, b);
#pragma unroll
    for (int i = 1; i < CHAINS; i++) sum[0] += sum[i];
    return __builtin_reduce_max((sx_ivec)sum[0]) ? sum[0][0] : 0.0f;
}

static float read_sum(const float *x, int64_t n) {
    sx_vec sum[4] = {0, 0, 0, 0};
    for (int64_t i = 0; i < n; i += 64)
#pragma unroll
        for (int v = 0; v < 4; v++) sum[v] += sx_vec_load(x + i + 16 * v);
    sx_vec all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    return __builtin_reduce_max((sx_ivec)all) ? all[0] : 0.0f;
}

const sx_peak_kernels SX_ROW(sx_peak_kernels) = {multiply_add, read_sum};
