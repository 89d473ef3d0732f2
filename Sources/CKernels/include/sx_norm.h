#ifndef SX_NORM_H
#define SX_NORM_H

#include <stdbool.h>
#include <stdint.h>

/// Layer normalisation of each row of x [rows, columns]: y = (x - mean) / sqrt(variance + epsilon) scale + bias.
/// `scale` and `bias` are [columns]; they, `mean` [rows] and `inv_std` [rows] may be NULL. `y` may be `x`.
/// The variance is taken about the mean, in a second pass.
void sx_layer_norm(
    const float *x, const float *scale, const float *bias, float *y, float *mean, float *inv_std, int64_t rows,
    int64_t columns, float epsilon, int threads);

/// y = x / sqrt(mean(x^2) + epsilon) scale for each row of x [rows, columns]; `scale` [columns]. `y` may be `x`.
void sx_rms_norm(
    const float *x, const float *scale, float *y, int64_t rows, int64_t columns, float epsilon, int threads);

/// y[n, c, i] = x[n, c, i] scale[c] + shift[c], [N, C, inner] or blocked16 [N, ceil(C/16), inner, 16], where padding
/// lanes are written zero. Batch normalisation at inference. `y` may be `x`.
void sx_channel_affine(
    const float *x, const float *scale, const float *shift, float *y, int64_t batch, int64_t channels, int64_t inner,
    bool blocked, int threads);

/// Group normalisation of x [N, C, inner] in plain layout: statistics over each group of C / groups channels,
/// then scale[c] and bias[c]. `groups` divides `channels`; instance normalisation has groups = channels.
/// `scale` and `bias` may be NULL. `y` may be `x`.
void sx_group_norm(
    const float *x, const float *scale, const float *bias, float *y, int64_t batch, int64_t channels, int64_t groups,
    int64_t inner, float epsilon, int threads);

#endif
