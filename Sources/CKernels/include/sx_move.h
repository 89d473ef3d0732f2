#ifndef SX_MOVE_H
#define SX_MOVE_H

#include <stdint.h>

enum { SX_COPY_MAX_RANK = 16 };

/// dst[i0, i1, ...] = src[i0, i1, ...] over `dims` [rank], for elements of 1, 2, 4, 8 or 16 bytes.
/// Strides are in elements, outermost first; a source stride may be 0 (broadcast) or negative (reversal),
/// destination strides may be negative but must not make two elements meet. Rank 0 to SX_COPY_MAX_RANK; dims need
/// not be collapsed. Source and destination do not overlap. Serves transpose, slice, concat, split, expand, tile.
void sx_copy_strided(
    const void *src, void *dst, int rank, const int64_t *dims, const int64_t *src_strides,
    const int64_t *dst_strides, int element_size, int threads);

/// dst[i] = *value for i in [0, n), elements of 1, 2, 4, 8 or 16 bytes.
void sx_fill(void *dst, int64_t n, const void *value, int element_size, int threads);

/// dst[o, i, :] = src[o, index[i], :]: src [outer, axis, row_bytes], dst [outer, count, row_bytes].
/// Each index is in [0, axis).
void sx_gather_rows(
    const void *src, const int64_t *index, void *dst, int64_t outer, int64_t axis, int64_t count, int64_t row_bytes,
    int threads);

/// Element types of `sx_cast`; values are those of ONNX `TensorProto.DataType`.
typedef enum {
    SX_TYPE_FLOAT32 = 1,
    SX_TYPE_UINT8 = 2,
    SX_TYPE_INT8 = 3,
    SX_TYPE_UINT16 = 4,
    SX_TYPE_INT16 = 5,
    SX_TYPE_INT32 = 6,
    SX_TYPE_INT64 = 7,
    SX_TYPE_BOOL = 9,
    SX_TYPE_FLOAT16 = 10,
    SX_TYPE_FLOAT64 = 11,
    SX_TYPE_UINT32 = 12,
    SX_TYPE_UINT64 = 13,
    SX_TYPE_BFLOAT16 = 16,
} sx_type;

/// dst[i] = (to) src[i] for i in [0, n), between any two `sx_type`s. Floating to floating rounds to nearest even;
/// floating to integer truncates and saturates, NaN gives 0; integer to integer wraps; to bool is `x != 0`.
/// Float32 and float64 subnormals may count as zero; float16 ones are exact. No overlap.
void sx_cast(sx_type from, sx_type to, const void *src, void *dst, int64_t n, int threads);

#endif
