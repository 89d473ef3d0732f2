#ifndef SX_QGEMM_IMAGE_H
#define SX_QGEMM_IMAGE_H

#include <stddef.h>
#include <string.h>

#include "../base/sizes.h"
#include "qgemm_kernels.h"

/// An image as the patches are read from: int16 less its zero point, each channel a plane with its padding, so that no
/// tap is outside. One of which a patch is a pixel is read where it lies.
typedef struct {
    const sx_qgemm_image *source;
    bool is_flat;
    int64_t extent[SX_QGEMM_AXES];  ///< that the patches reach
    int64_t plane, planes;          ///< elements of a plane; images x groups x channels
    int16_t *planar;
} sx_qgemm_patches;

/// Elements past the end that may be read.
enum { SX_QGEMM_SLACK = 64 };

/// The extents for `products` = images x groups; false where they overflow.
static inline bool sx_qgemm_set_patches(sx_qgemm_patches *p, const sx_qgemm_image *x, int64_t products) {
    *p = (sx_qgemm_patches){.source = x, .is_flat = true, .plane = 1};
    bool fits = true;
    for (int axis = 0; axis < SX_QGEMM_AXES; axis++) {
        p->is_flat &= x->kernel[axis] == 1 && x->stride[axis] == 1 && x->pad_begin[axis] == 0 &&
                      x->out[axis] == x->in[axis] && (axis == SX_QGEMM_AXES - 1 || x->in[axis] == 1);
        int64_t reach = 0, far = 0;
        fits &= !__builtin_mul_overflow(sx_max(x->out[axis] - 1, 0), x->stride[axis], &far);
        fits &= !__builtin_mul_overflow(sx_max(x->kernel[axis] - 1, 0), x->dilation[axis], &reach);
        fits &= !__builtin_add_overflow(far, reach, &reach) && !__builtin_add_overflow(reach, 1, &p->extent[axis]);
        fits &= !__builtin_mul_overflow(p->plane, p->extent[axis], &p->plane);
    }
    fits &= !__builtin_mul_overflow(products, x->channels, &p->planes);
    return fits;
}

/// Bytes of the planes; -1 where they overflow.
static inline int64_t sx_qgemm_patches_bytes(const sx_qgemm_patches *p) {
    int64_t bytes = 0;
    if (p->is_flat) return 0;
    if (__builtin_mul_overflow(p->plane, p->planes, &bytes) ||
        __builtin_mul_overflow(bytes, (int64_t)sizeof(int16_t), &bytes) || bytes > INT64_MAX / 2)
        return -1;
    return sx_round_up(bytes + SX_QGEMM_SLACK * (int64_t)sizeof(int16_t), 64);
}

/// Fills a plane.
static inline void sx_qgemm_fill_plane(
    const sx_qgemm_kernels *kernels, const sx_qgemm_patches *p, int64_t groups, int64_t plane) {
    const sx_qgemm_image *x = p->source;
    int64_t product = plane / x->channels;
    const uint8_t *from = (const uint8_t *)x->elements + product / groups * x->image_stride +
                          product % groups * x->group_stride + plane % x->channels * x->channel_stride;
    int16_t *to = p->planar + plane * p->plane;
    int64_t width = p->extent[2], left = sx_min(x->pad_begin[2], width);
    int64_t inside = sx_max(0, sx_min(x->in[2], width - left));
    for (int64_t d = 0; d < p->extent[0]; d++)
        for (int64_t h = 0; h < p->extent[1]; h++, to += width) {
            int64_t source_d = d - x->pad_begin[0], source_h = h - x->pad_begin[1];
            if (source_d < 0 || source_d >= x->in[0] || source_h < 0 || source_h >= x->in[1]) {
                memset(to, 0, (size_t)width * sizeof *to);
                continue;
            }
            memset(to, 0, (size_t)left * sizeof *to);
            kernels->widen(
                from + source_d * x->axis_stride[0] + source_h * x->axis_stride[1], x->axis_stride[2], x->is_signed,
                x->zero, to + left, inside);
            memset(to + left + inside, 0, (size_t)(width - left - inside) * sizeof *to);
        }
}

/// Where tap `tap` of a channel lies from the first element of a patch.
static inline int64_t sx_qgemm_tap_offset(const sx_qgemm_patches *p, int64_t tap) {
    const sx_qgemm_image *x = p->source;
    int64_t w = tap % x->kernel[2], h = tap / x->kernel[2] % x->kernel[1], d = tap / x->kernel[2] / x->kernel[1];
    return (d * x->dilation[0] * p->extent[1] + h * x->dilation[1]) * p->extent[2] + w * x->dilation[2];
}

/// A run of patches in one row of the output.
typedef struct {
    int64_t done, count;  ///< columns before it and in it
    int64_t first;        ///< the first patch's first element in its plane
} sx_qgemm_run;

/// The next run of `columns` patches from `column` on, after `run`; false when there is none.
static inline bool sx_qgemm_next_run(const sx_qgemm_patches *p, int64_t column, int64_t columns, sx_qgemm_run *run) {
    const sx_qgemm_image *x = p->source;
    run->done += run->count;
    if (run->done >= columns) return false;
    column += run->done;
    int64_t w = column % x->out[2], h = column / x->out[2] % x->out[1], d = column / x->out[2] / x->out[1];
    run->count = sx_min(x->out[2] - w, columns - run->done);
    run->first = (d * x->stride[0] * p->extent[1] + h * x->stride[1]) * p->extent[2] + w * x->stride[2];
    return true;
}

/// What element `k` of each of `columns` patches from `column` on is.
static inline void sx_qgemm_patch_row(
    const sx_qgemm_kernels *kernels, const sx_qgemm_patches *p, int64_t image, int64_t group, int64_t groups, int64_t k,
    int64_t column, int64_t columns, int16_t *to) {
    const sx_qgemm_image *x = p->source;
    if (p->is_flat) {
        const uint8_t *from = (const uint8_t *)x->elements + image * x->image_stride + group * x->group_stride +
                              k * x->channel_stride + column * x->axis_stride[2];
        kernels->widen(from, x->axis_stride[2], x->is_signed, x->zero, to, columns);
        return;
    }
    int64_t taps = x->kernel[0] * x->kernel[1] * x->kernel[2];
    const int16_t *from = p->planar + ((image * groups + group) * x->channels + k / taps) * p->plane +
                          sx_qgemm_tap_offset(p, k % taps);
    for (sx_qgemm_run run = {0}; sx_qgemm_next_run(p, column, columns, &run);)
        kernels->gather(from + run.first, x->stride[2], to + run.done, run.count);
}

#endif
