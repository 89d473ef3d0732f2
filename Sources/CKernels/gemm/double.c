#include <assert.h>
#include <cblas.h>

#include "../base/sizes.h"
#include "sx_gemm.h"
#include "sx_parallel.h"

enum { ROW_BLOCK = 128 };

typedef struct {
    const sx_gemm_f64_args *args;
    int64_t row_blocks;
} job;

static void run(void *context, int64_t chunk, int worker) {
    (void)worker;
    const job *j = context;
    const sx_gemm_f64_args *g = j->args;
    int64_t batch = chunk / j->row_blocks, row = chunk % j->row_blocks * ROW_BLOCK;
    const double *a = g->a + batch * g->batch_stride_a + (g->transpose_a ? row : row * g->lda);
    cblas_dgemm(
        CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans, g->transpose_b ? CblasTrans : CblasNoTrans,
        (blasint)sx_min(ROW_BLOCK, g->m - row), (blasint)g->n, (blasint)g->k, g->alpha, a, (blasint)g->lda,
        g->b + batch * g->batch_stride_b, (blasint)g->ldb, g->beta, g->c + batch * g->batch_stride_c + row * g->ldc,
        (blasint)g->ldc);
}

void sx_gemm_f64(const sx_gemm_f64_args *args, int threads) {
    assert(args->m >= 0 && args->n >= 0 && args->k >= 0 && args->batch >= 0);
    openblas_set_num_threads(1);
    job j = {args, sx_ceil_div(args->m, ROW_BLOCK)};
    sx_parallel_for(threads, args->batch * j.row_blocks, run, &j);
}

const char *sx_openblas_corename(void) { return openblas_get_corename(); }
