#include "reorder_kernels.h"

static void block(const float *src, float *dst, int64_t pixels, int64_t channels, int64_t plane_stride) {
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t lane = 0; lane < 16; lane++)
            dst[i * 16 + lane] = lane < channels ? src[lane * plane_stride + i] : 0.0f;
}

static void unblock(const float *src, float *dst, int64_t pixels, int64_t channels, int64_t plane_stride) {
    for (int64_t lane = 0; lane < channels; lane++)
        for (int64_t i = 0; i < pixels; i++) dst[lane * plane_stride + i] = src[i * 16 + lane];
}

const sx_reorder_kernels sx_reorder_kernels_scalar = {block, unblock};
