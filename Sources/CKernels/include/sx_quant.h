#ifndef SX_QUANT_H
#define SX_QUANT_H

#include <stdbool.h>
#include <stdint.h>

/// Which scale and zero point each element of a tensor has. The tensor is `outer` runs of `extent` elements; a run is
/// `groups` groups of `count` elements, of which the last may have fewer. Group g of run o has the parameters from
/// `o outer_parameters + g / groups_per_parameter group_parameters` on: one for all elements (`step` 0) or one for each
/// (`step` 1).
typedef struct {
    int64_t outer, extent, groups, count;
    int64_t outer_parameters, groups_per_parameter, group_parameters, step;
} sx_quant_map;

/// y = clip(round(x / scale) + zero, low, high), rounded to nearest even; NaN gives `low`.
/// y has elements of `byte_size` 1 or 2, signed or not as `low` and `high` need, which are at most 2^17 from zero.
/// `zero` may be NULL: all zero. No overlap.
void sx_quantize(
    const sx_quant_map *map, const float *x, const float *scale, const int32_t *zero, int32_t low, int32_t high,
    void *y, int byte_size, int threads);

/// y = (x - zero) scale, for x of int8 or uint8. `zero` may be NULL: all zero. No overlap.
void sx_dequantize(
    const sx_quant_map *map, const void *x, bool is_signed, const float *scale, const int32_t *zero, float *y,
    int threads);

#endif
