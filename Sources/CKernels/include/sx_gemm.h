#ifndef SX_GEMM_H
#define SX_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "sx_unary.h"

/// Columns in one panel of packed B, whatever the ISA.
enum { SX_GEMM_PANEL = 16 };

/// C[i] = f(alpha op(A[i]) op(B[i]) + beta bias[i]) for i in [0, batch): C [M, N], op(A) [M, K], op(B) [K, N].
///
/// Layout: row-major; leading dimensions and batch strides in elements. A batch stride of 0 shares the operand.
/// Aliasing: C overlaps nothing. Any alignment. K = 0 gives f(beta bias).
typedef struct {
    int64_t m, n, k, batch;
    float alpha, beta;
    const float *a;  ///< [M, K] with row stride `lda`; where `transpose_a`, [K, M]
    int64_t lda, batch_stride_a;
    bool transpose_a, transpose_b;
    const float *b;  ///< [K, N] with row stride `ldb`; where `transpose_b`, [N, K]; unused with `packed_b`
    int64_t ldb, batch_stride_b;
    const void *packed_b;  ///< from `sx_gemm_pack_b`, shared by all batches; or NULL
    float *c;
    int64_t ldc, batch_stride_c;
    const float *bias;  ///< element (row, column) at `row bias_row_stride + column bias_column_stride`; or NULL
    int64_t bias_row_stride, bias_column_stride, bias_batch_stride;
    sx_activation activation;
} sx_gemm_args;

/// Bytes of B [K, N] packed: ceil(N / 16) panels [K][16], columns past N zero. -1 where the size overflows.
int64_t sx_gemm_packed_bytes(int64_t k, int64_t n);

/// Packs B [K, N] (or [N, K] where `transposed`) with leading dimension `ldb` into `packed`, 64-byte aligned.
/// The format is the same at every ISA level.
void sx_gemm_pack_b(int64_t k, int64_t n, const float *b, int64_t ldb, bool transposed, void *packed, int threads);

/// Bytes of scratch that `sx_gemm` needs with these arguments on at most `threads` threads. Of the pointers only
/// whether `packed_b` is NULL counts, so that a plan can ask before there is memory.
int64_t sx_gemm_scratch_bytes(const sx_gemm_args *args, int threads);

/// `scratch` is 64-byte aligned. The result is the same to the bit for any thread count.
void sx_gemm(const sx_gemm_args *args, void *scratch, int threads);

/// C[i] = alpha op(A[i]) op(B[i]) + beta C[i] in double precision; layout, strides and aliasing as in `sx_gemm_args`.
typedef struct {
    int64_t m, n, k, batch;
    double alpha, beta;
    const double *a, *b;
    double *c;
    int64_t lda, ldb, ldc, batch_stride_a, batch_stride_b, batch_stride_c;
    bool transpose_a, transpose_b;
} sx_gemm_f64_args;

/// Bytes of scratch that `sx_gemm_f64` needs on at most `threads` threads; no pointer is read.
int64_t sx_gemm_f64_scratch_bytes(const sx_gemm_f64_args *args, int threads);

/// `scratch` is 64-byte aligned. With a beta of 0, C is not read. The result is the same to the bit for any thread
/// count.
void sx_gemm_f64(const sx_gemm_f64_args *args, void *scratch, int threads);

#endif
