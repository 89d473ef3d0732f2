#include <assert.h>
#include <string.h>

#include "../base/sizes.h"
#include "sx_conv.h"
#include "sx_gemm.h"
#include "sx_parallel.h"

// Convolution of any rank on plain tensors. What the taps of a block of output positions read becomes a matrix
// [c/groups taps, positions], made row of output by row of output; the weights of a group times it are the outputs.

enum {
    BLOCK_FLOATS = 64 << 10,  // of a block's matrix, which stays in L2
    LEAST_VECTORS = 5,        // of 16 positions in a block; odd, so that its rows spread over the lines of L1
    MOST_VECTORS = 33,
    CHUNKS = 16,      // fewer blocks than this share their output channels out, too,
    LEAST_ROWS = 64,  // at least so many at a time
};

typedef struct {
    const sx_conv_nd_shape *s;
    int last;
    int64_t taps, outer_taps, in_floats, positions, depth, group_outputs;
    int64_t columns, blocks, rows, parts;
    bool pointwise;  ///< x is the matrix already
} plan;

typedef struct {
    plan plan;
    const float *x, *weights, *bias;
    sx_activation activation;
    float *y, *scratch;
    int64_t worker_floats;
} job;

static plan make_plan(const sx_conv_nd_shape *s) {
    plan p = {.s = s, .last = s->spatial_rank - 1, .taps = 1, .outer_taps = 1, .in_floats = 1, .positions = 1};
    assert(s->spatial_rank >= 1 && s->spatial_rank <= SX_CONV_MAX_RANK && s->groups > 0);
    p.pointwise = true;
    for (int d = 0; d <= p.last; d++) {
        p.taps *= s->kernel[d];
        if (d < p.last) p.outer_taps *= s->kernel[d];
        p.in_floats *= s->in[d];
        p.positions *= s->out[d];
        p.pointwise &= s->kernel[d] == 1 && s->stride[d] == 1 && s->pad_begin[d] == 0 && s->out[d] == s->in[d];
    }
    p.depth = s->c / s->groups * p.taps;
    p.group_outputs = s->k / s->groups;
    int64_t vectors = sx_min(MOST_VECTORS, sx_max(LEAST_VECTORS, BLOCK_FLOATS / 16 / sx_max(1, p.depth)));
    p.columns = 16 * sx_min(vectors - (vectors % 2 == 0), sx_ceil_div(sx_max(1, p.positions), 16));
    p.blocks = sx_ceil_div(p.positions, p.columns);
    int64_t most = sx_ceil_div(CHUNKS, sx_max(1, s->n * s->groups * p.blocks));
    p.parts = sx_max(1, sx_min(most, p.group_outputs / LEAST_ROWS));
    p.rows = sx_max(1, sx_ceil_div(p.group_outputs, p.parts));
    p.parts = sx_ceil_div(p.group_outputs, p.rows);
    return p;
}

/// Floats between two rows of a block's matrix.
static int64_t row_floats(const plan *p) { return p->columns % 32 == 0 ? p->columns + 16 : p->columns; }

static sx_gemm_args product(const plan *p, int64_t rows, int64_t columns) {
    return (sx_gemm_args){
        .m = rows, .n = columns, .k = p->depth, .batch = 1, .alpha = 1.0f, .beta = 1.0f, .lda = p->depth,
        .ldb = p->pointwise ? p->in_floats : row_floats(p), .ldc = p->positions, .bias_row_stride = 1};
}

/// Enough for any block: the last of the output channels may be cut otherwise, fewer positions need no more.
static int64_t gemm_floats(const plan *p) {
    int64_t columns = sx_min(p->columns, p->positions);
    sx_gemm_args g = product(p, p->rows, columns);
    sx_gemm_args last = product(p, p->group_outputs - (p->parts - 1) * p->rows, columns);
    int64_t bytes = sx_max(sx_gemm_scratch_bytes(&g, 1), sx_gemm_scratch_bytes(&last, 1));
    return sx_round_up(bytes / (int64_t)sizeof(float), 16);
}

static int64_t matrix_floats(const plan *p) { return p->pointwise ? 0 : p->depth * row_floats(p); }

int64_t sx_conv_nd_scratch_bytes(const sx_conv_nd_shape *shape, int threads) {
    plan p = make_plan(shape);
    return (matrix_floats(&p) + gemm_floats(&p)) * (int64_t)sizeof(float) * sx_max(threads, 1);
}

/// Offset of the input row that the output row numbered `row` reads through the outer tap numbered `tap`, or -1.
static int64_t source_row(const plan *p, int64_t row, int64_t tap) {
    const sx_conv_nd_shape *s = p->s;
    int64_t offset = 0, step = s->in[p->last];
    for (int d = p->last - 1; d >= 0; d--) {
        int64_t i = row % s->out[d] * s->stride[d] - s->pad_begin[d] + tap % s->kernel[d] * s->dilation[d];
        if (i < 0 || i >= s->in[d]) return -1;
        offset += i * step;
        step *= s->in[d];
        row /= s->out[d];
        tap /= s->kernel[d];
    }
    return offset;
}

/// to[i] = in[i stride + start] for i in [0, count), zero where that is outside [0, extent).
static void gather(const float *in, int64_t extent, int64_t start, int64_t stride, float *to, int64_t count) {
    int64_t begin = start < 0 ? sx_min(count, stride == 1 ? -start : sx_ceil_div(-start, stride)) : 0;
    int64_t left = extent - start, end = left <= 0 ? 0 : sx_min(count, stride == 1 ? left : sx_ceil_div(left, stride));
    end = sx_max(begin, end);
    for (int64_t i = 0; i < begin; i++) to[i] = 0.0f;
    if (stride == 1)
        memcpy(to + begin, in + start + begin, (size_t)(end - begin) * sizeof(float));
    else
        for (int64_t i = begin; i < end; i++) to[i] = in[i * stride + start];
    for (int64_t i = end; i < count; i++) to[i] = 0.0f;
}

/// The matrix of `count` positions from `first` on; `x` is the group's first channel.
static void fill_matrix(const plan *p, const float *x, int64_t first, int64_t count, float *matrix) {
    const sx_conv_nd_shape *s = p->s;
    int64_t ld = row_floats(p), width = s->out[p->last], kernel = s->kernel[p->last], channels = s->c / s->groups;
    for (int64_t at = 0, length; at < count; at += length) {
        int64_t row = (first + at) / width, o = (first + at) % width;
        length = sx_min(width - o, count - at);
        for (int64_t outer = 0; outer < p->outer_taps; outer++) {
            int64_t offset = source_row(p, row, outer);
            for (int64_t tap = 0; tap < kernel; tap++) {
                int64_t start = o * s->stride[p->last] - s->pad_begin[p->last] + tap * s->dilation[p->last];
                float *to = matrix + (outer * kernel + tap) * ld + at;
                for (int64_t c = 0; c < channels; c++, to += p->taps * ld)
                    if (offset < 0)
                        memset(to, 0, (size_t)length * sizeof(float));
                    else
                        gather(
                            x + c * p->in_floats + offset, s->in[p->last], start, s->stride[p->last], to, length);
            }
        }
    }
}

static void run(void *context, int64_t chunk, int worker) {
    const job *j = context;
    const plan *p = &j->plan;
    const sx_conv_nd_shape *s = p->s;
    int64_t row = chunk % p->parts * p->rows, first = chunk / p->parts % p->blocks * p->columns;
    int64_t group = chunk / p->parts / p->blocks % s->groups, image = chunk / p->parts / p->blocks / s->groups;
    const float *x = j->x + (image * s->c + group * (s->c / s->groups)) * p->in_floats;
    float *matrix = j->scratch + worker * j->worker_floats;
    int64_t k = group * p->group_outputs + row;
    sx_gemm_args g = product(p, sx_min(p->rows, p->group_outputs - row), sx_min(p->columns, p->positions - first));
    if (!p->pointwise) fill_matrix(p, x, first, g.n, matrix);
    g.a = j->weights + k * p->depth;
    g.b = p->pointwise ? x + first : matrix;
    g.c = j->y + (image * s->k + k) * p->positions + first;
    g.bias = j->bias ? j->bias + k : NULL;
    g.activation = j->activation;
    sx_gemm(&g, matrix + matrix_floats(p), 1);
}

void sx_conv_nd(
    const sx_conv_nd_shape *shape, const float *x, const float *weights, const float *bias, sx_activation activation,
    float *y, void *scratch, int threads) {
    job j = {.plan = make_plan(shape), .x = x, .weights = weights, .bias = bias, .activation = activation, .y = y,
             .scratch = scratch};
    j.worker_floats = matrix_floats(&j.plan) + gemm_floats(&j.plan);
    sx_parallel_for(threads, shape->n * shape->groups * j.plan.blocks * j.plan.parts, run, &j);
}
