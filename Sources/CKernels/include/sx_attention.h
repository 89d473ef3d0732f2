#ifndef SX_ATTENTION_H
#define SX_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

/// Element (batch, head, row, column) of an operand is at
/// batch batch_stride + head head_stride + row row_stride + column column_stride; strides in floats.
typedef struct {
    int64_t batch_stride, head_stride, row_stride, column_stride;
} sx_attention_view;

/// y [B, H, M, E] = softmax(scale q k^T) v for q [B, H, M, D], k [B, H, L, D], v [B, H, L, E]; the softmax is along L.
///
/// Layout: q, v and y have column stride 1; of k either the row or the column stride is 1. Any alignment.
/// Aliasing: y overlaps nothing. L is at least 1; D may be 0.
typedef struct {
    int64_t batch, heads, rows, keys, depth, columns;  ///< B, H, M, L, D, E
    float scale;
    const float *q, *k, *v;
    float *y;
    sx_attention_view q_view, k_view, v_view, y_view;
} sx_attention_args;

/// Bytes of scratch that `sx_attention` needs on at most `threads` threads, from the extents alone; -1 where the size
/// overflows.
int64_t sx_attention_scratch_bytes(const sx_attention_args *args, int threads);

/// A block of rows at a time, so that its products with all keys never leave the cache. `scratch` is 64-byte aligned.
/// The result is the same to the bit for any thread count.
void sx_attention(const sx_attention_args *args, void *scratch, int threads);

#endif
