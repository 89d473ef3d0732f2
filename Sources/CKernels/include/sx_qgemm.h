#ifndef SX_QGEMM_H
#define SX_QGEMM_H

#include <stdbool.h>
#include <stdint.h>

/// The most spatial axes of an image.
enum { SX_QGEMM_AXES = 3 };

/// A matrix of int8 or uint8: element (row, column) at `row row_stride + column column_stride`.
typedef struct {
    const void *elements;
    int64_t row_stride, column_stride;
    bool is_signed;
    const void *zero;     ///< of the elements' type, one a row of A or a column of B, `zero_step` (0, 1) apart; or NULL
    int64_t zero_step;
} sx_qgemm_matrix;

/// Pixels of int8 or uint8 whose patches are the columns of B [C k…, o…]; the padding counts as zero.
/// Images and groups are so many elements apart, channels and spatial axes too.
typedef struct {
    const void *elements;
    bool is_signed;
    int32_t zero;
    int64_t channels;  ///< of a group
    int64_t image_stride, group_stride, channel_stride;
    int64_t axis_stride[SX_QGEMM_AXES], in[SX_QGEMM_AXES], out[SX_QGEMM_AXES], kernel[SX_QGEMM_AXES],
        stride[SX_QGEMM_AXES], dilation[SX_QGEMM_AXES], pad_begin[SX_QGEMM_AXES];
} sx_qgemm_image;

/// What is stored: the sums; or, with `value = sum row_scale column_scale` in float32, value + float_bias; or
/// saturate(round(value) + zero).
typedef enum { SX_QGEMM_SUMS, SX_QGEMM_FLOATS, SX_QGEMM_INT8, SX_QGEMM_UINT8 } sx_qgemm_output;

/// C [M, N] = (A - a zero) (B - b zero) + bias, where A is [M, K] and B [K, N]: exact int32 sums that wrap around.
/// With an image there are `images` x `groups` products: A, bias and row scales have `groups` parts of M rows, and the
/// parts of C are `c_image`, `c_group` elements apart.
typedef struct {
    int64_t m, n, k, images, groups;
    sx_qgemm_matrix a;
    const void *packed_a;         ///< from `sx_qgemm_pack_a`; or NULL
    sx_qgemm_matrix b;
    const void *packed_b;         ///< from `sx_qgemm_pack_b`; or NULL
    const sx_qgemm_image *image;  ///< B, instead of a matrix; or NULL
    void *c;                      ///< element (row, column) at `row c_row + column c_column`
    int64_t c_row, c_column, c_image, c_group;
    sx_qgemm_output output;
    const int32_t *bias;          ///< element (row, column) at `row bias_row + column bias_column`; or NULL
    int64_t bias_row, bias_column;
    const float *row_scale;       ///< element i at i row_scale_step; or NULL for one
    const float *column_scale;
    int64_t row_scale_step, column_scale_step;
    const float *float_bias;      ///< [N]; or NULL
    int32_t zero;
} sx_qgemm_args;

/// Bytes of A [M, K] packed, and of B [K, N]; -1 where they overflow.
int64_t sx_qgemm_packed_a_bytes(int64_t m, int64_t k);
int64_t sx_qgemm_packed_b_bytes(int64_t k, int64_t n);

/// Packed: int16 elements less their zero point. The format is the same at every ISA level. A's rows are whole pairs
/// of elements; B's panels of 16 columns hold pairs of rows. `packed` is 64-byte aligned.
void sx_qgemm_pack_a(int64_t m, int64_t k, const sx_qgemm_matrix *a, void *packed, int threads);
void sx_qgemm_pack_b(int64_t k, int64_t n, const sx_qgemm_matrix *b, void *packed, int threads);

/// Bytes of scratch that `sx_qgemm` needs with these extents on at most `threads` threads; -1 where they overflow.
int64_t sx_qgemm_scratch_bytes(const sx_qgemm_args *args, int threads);

/// `scratch` is 64-byte aligned; C overlaps nothing.
void sx_qgemm(const sx_qgemm_args *args, void *scratch, int threads);

#endif
