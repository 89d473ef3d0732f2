#ifndef SX_DETECT_H
#define SX_DETECT_H

#include <stdbool.h>
#include <stdint.h>

// Before and after a detector's network. float32, dense unless a stride is given, no aliasing. "Padded" arrays may be
// read and written up to their count rounded up to 16 elements; what lies past the count has no meaning. Functions
// with a `threads` argument are parallel, the others serial and meant to be called from many threads.

enum { SX_DETECT_LANES = 16 };

/// Where output positions of one axis fall between input positions: output i lies `weight[i]` of the way from input
/// `index[i]` to `index[i] + 1`. Padded, with valid indices past the count too.
typedef struct {
    const int32_t *index;
    const float *weight;
} sx_detect_axis;

/// A picture becomes a network's input.
typedef struct {
    const uint8_t *pixels;  ///< [height, width, 3]
    int64_t width, height;
    int64_t out_width, out_height;
    int64_t row_stride, plane_stride;  ///< of out, at least out_width and out_height rows
    sx_detect_axis columns, rows;      ///< out_width and out_height entries
    int source[3];                 ///< picture channel that output plane p is made from
    float mean[3], scale[3];       ///< per output plane: value = (pixel - mean) scale
    float *scratch;                ///< threads x scratch_stride
    int64_t scratch_stride;        ///< at least 3 (width + 1) rounded up to 16
} sx_detect_picture;

/// Bilinear resampling to out [3, out_height, out_width] with normalisation; out is not padded.
void sx_detect_preprocess(const sx_detect_picture *picture, float *out, int threads);

/// keep[a] = whether any of scores[a, 1...columns) is above `threshold`; NaN never is. scores [anchors, columns],
/// column 0 is the background.
void sx_detect_candidates(
    const float *scores, int64_t anchors, int64_t columns, float threshold, uint8_t *keep, int threads);

/// Prototypes [height, width, count] in any order: neighbours lie row_step, column_step and count_step apart.
typedef struct {
    const float *values;
    int64_t height, width, count;
    int64_t row_step, column_step, count_step;
} sx_detect_prototypes;

/// The prototypes become out [width, count, stride], rows innermost, stride >= height.
void sx_detect_arrange_prototypes(const sx_detect_prototypes *proto, float *out, int64_t stride, int threads);

/// out[i] = sum over k of coefficients[k] proto[k stride + i], i in [0, n), or its sigmoid. proto rows and out are
/// padded.
void sx_detect_combine(
    const float *proto, int64_t stride, const float *coefficients, int64_t count, int64_t n, bool sigmoid, float *out);

/// out[i] = column[j] (1 - weight[i]) + column[j + 1] weight[i] with j = index[i] - first, i in [0, n). out is padded.
void sx_detect_stretch(const float *column, int32_t first, sx_detect_axis axis, int64_t n, float *out);

/// Bit i of `bits` = a[i] (1 - weight) + b[i] weight > threshold, i in [0, n); the last word's other bits are clear.
/// a and b are padded.
void sx_detect_blend(const float *a, const float *b, float weight, float threshold, int64_t n, uint64_t *bits);

/// Which IoU is an overlap; an empty union is 0/0.
typedef enum {
    SX_DETECT_ABOVE,        ///< IoU > threshold; not 0/0
    SX_DETECT_AT_LEAST,     ///< IoU >= threshold; not 0/0
    SX_DETECT_NOT_AT_MOST,  ///< all but IoU <= threshold: 0/0 too
} sx_detect_comparison;

/// How two boxes are compared.
typedef struct {
    float extent;     ///< added to each side of an intersection: 0, or 1 where corners are whole pixels inside
    float threshold;
    sx_detect_comparison comparison;
} sx_detect_overlap_rule;

typedef struct {
    float x1, y1, x2, y2, area;
} sx_detect_box;

/// Whether `box` overlaps any of the first `count` boxes of `blocks`, which hold 16 boxes each
/// as x1[16] y1[16] x2[16] y2[16] area[16].
bool sx_detect_overlaps(const float *blocks, int64_t count, const sx_detect_box *box, sx_detect_overlap_rule rule);

#endif
