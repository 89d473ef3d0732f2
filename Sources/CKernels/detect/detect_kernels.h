#ifndef SX_DETECT_KERNELS_H
#define SX_DETECT_KERNELS_H

#include "sx_detect.h"

/// What an ISA provides; arguments as in sx_detect.h unless stated.
typedef struct {
    /// row[i] = above[i] (1 - weight) + below[i] weight, i in [0, n); only n bytes are read, row is padded.
    void (*blend_rows)(const uint8_t *above, const uint8_t *below, float weight, int64_t n, float *row);
    /// One output row of one plane: out[i] = (row[3 index[i]] (1 - w) + row[3 index[i] + 3] w - mean) scale.
    void (*resample_row)(const float *row, sx_detect_axis axis, int64_t n, float mean, float scale, float *out);
    /// Whether any of x[0...n) is above the threshold.
    bool (*any_above)(const float *x, int64_t n, float threshold);
    void (*combine)(const float *, int64_t, const float *, int64_t, int64_t, bool, float *);
    void (*stretch)(const float *, int32_t, sx_detect_axis, int64_t, float *);
    void (*blend)(const float *, const float *, float, float, int64_t, uint64_t *);
    bool (*overlaps)(const float *, int64_t, const sx_detect_box *, sx_detect_overlap_rule);
} sx_detect_kernels;

#endif
