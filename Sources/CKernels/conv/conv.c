#include "sx_conv.h"

#include <assert.h>
#include <string.h>

#include "../base/sizes.h"
#include "algorithms.h"
#include "winograd.h"

// The first row that suits a shape is taken; direct suits all.
static const struct {
    sx_conv_algorithm algorithm;
    const sx_conv_method *method;
} table[] = {
    {SX_CONV_DEPTHWISE, &sx_conv_depthwise},
    {SX_CONV_WINOGRAD, &sx_conv_winograd},
    {SX_CONV_DIRECT, &sx_conv_direct},
};

static const sx_conv_method *method_of(sx_conv_algorithm algorithm) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].algorithm == algorithm) return table[i].method;
    assert(!"unknown algorithm");
    return &sx_conv_direct;
}

sx_conv_algorithm sx_conv_choose(const sx_conv_shape *shape, bool winograd) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((winograd || table[i].algorithm != SX_CONV_WINOGRAD) && table[i].method->suits(shape))
            return table[i].algorithm;
    return SX_CONV_DIRECT;
}

const char *sx_conv_algorithm_name(sx_conv_algorithm algorithm) { return method_of(algorithm)->name; }

int64_t sx_conv_executed_macs(const sx_conv_shape *shape, sx_conv_algorithm algorithm) {
    const sx_conv_method *method = method_of(algorithm);
    if (method->executed_macs) return method->executed_macs(shape);
    int64_t factors[] = {shape->k, shape->oh, shape->ow, shape->c / shape->groups, shape->kh, shape->kw};
    int64_t macs = shape->n;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (__builtin_mul_overflow(macs, factors[i], &macs)) return INT64_MAX;
    return macs;
}

int64_t sx_conv_packed_bytes(const sx_conv_shape *shape, sx_conv_algorithm algorithm) {
    int64_t floats = method_of(algorithm)->packed_floats(shape), bytes;
    return floats < 0 || __builtin_mul_overflow(floats, (int64_t)sizeof(float), &bytes) ? -1 : bytes;
}

void sx_conv_pack(
    const sx_conv_shape *shape, sx_conv_algorithm algorithm, const float *weights, const float *bias, void *packed,
    int threads) {
    method_of(algorithm)->pack(shape, weights, bias, packed, threads);
}

int64_t sx_conv_scratch_bytes(const sx_conv_shape *shape, sx_conv_algorithm algorithm, int threads) {
    return method_of(algorithm)->scratch_bytes(shape, threads);
}

void sx_conv(
    const sx_conv_shape *shape, sx_conv_algorithm algorithm, const float *x, const void *packed,
    const sx_conv_epilogue *epilogue, float *y, void *scratch, int threads) {
    assert(shape->groups > 0 && shape->c % shape->groups == 0 && shape->k % shape->groups == 0);
    assert(shape->stride_h > 0 && shape->stride_w > 0 && shape->dilation_h > 0 && shape->dilation_w > 0);
    assert(shape->input_layout != SX_LAYOUT_NHWC);
    if (shape->n <= 0 || shape->k <= 0 || shape->oh <= 0 || shape->ow <= 0) return;
    method_of(algorithm)->run(shape, x, packed, epilogue, y, scratch, threads);
}

/// Copies the parts that Winograd computes to `together`; the others are left to their own methods.
static int winograd_parts(const sx_conv_part *parts, int count, sx_conv_part *together) {
    int found = 0;
    for (int i = 0; i < count; i++)
        if (parts[i].algorithm == SX_CONV_WINOGRAD) together[found++] = parts[i];
    return found;
}

int64_t sx_conv_siblings_scratch_bytes(const sx_conv_part *parts, int count, int threads) {
    assert(count <= SX_CONV_MAX_PARTS);
    sx_conv_part together[SX_CONV_MAX_PARTS];
    int found = winograd_parts(parts, count, together);
    int64_t most = found ? sx_winograd_scratch_bytes(together, found, threads) : 0;
    for (int i = 0; i < count; i++)
        if (parts[i].algorithm != SX_CONV_WINOGRAD)
            most = sx_max(most, sx_conv_scratch_bytes(&parts[i].shape, parts[i].algorithm, threads));
    return most;
}

void sx_conv_siblings(const sx_conv_part *parts, int count, const float *x, void *scratch, int threads) {
    assert(count <= SX_CONV_MAX_PARTS);
    sx_conv_part together[SX_CONV_MAX_PARTS];
    int found = winograd_parts(parts, count, together);
    if (found) sx_winograd_run(together, found, x, scratch, threads);
    for (int i = 0; i < count; i++)
        if (parts[i].algorithm != SX_CONV_WINOGRAD)
            sx_conv(
                &parts[i].shape, parts[i].algorithm, x, parts[i].packed, &parts[i].epilogue, parts[i].y, scratch,
                threads);
}

float *sx_conv_pack_bias(const sx_conv_shape *shape, const float *bias, float *packed) {
    int64_t padded = sx_blocks(shape->k) * SX_BLOCK;
    memset(packed, 0, (size_t)padded * sizeof(float));
    if (bias) memcpy(packed, bias, (size_t)shape->k * sizeof(float));
    return packed + padded;
}
