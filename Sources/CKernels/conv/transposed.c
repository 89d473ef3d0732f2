#include <assert.h>

#include "../base/sizes.h"
#include "../move/move_kernels.h"
#include "sx_conv.h"
#include "sx_gemm.h"
#include "sx_parallel.h"

// Transposed convolution of any rank on plain tensors. The weights [k taps, c] of some output channels times the
// input are what every tap adds to the output; every output row then gathers what reaches it, tap after tap. A band of
// output rows (of the outermost dimension) takes the input rows that reach it, so that the products stay in L2.

enum {
    PRODUCT_FLOATS = 128 << 10,
    ROWS = 96,  // of a product: so often is a packed input used
    LEAST_ROWS = 32,
    CHUNKS = 16,     // for which products are made of fewer rows
    HALO_SHARE = 4,  // rows of a band to each that its neighbour computes, too
};

typedef struct {
    const sx_conv_nd_shape *s;
    int last;
    int64_t taps, outer_taps, in_row, out_row, group_inputs, group_outputs;  // rows of the outermost dimension
    int64_t channels, parts;  ///< output channels of a chunk
    int64_t band, bands, most_in;  ///< output rows of a band; the most input rows that reach one
} plan;

typedef struct {
    plan plan;
    const float *x, *weights, *bias;
    sx_activation activation;
    float *y, *scratch;
    int64_t worker_floats;
} job;

static plan make_plan(const sx_conv_nd_shape *s) {
    plan p = {.s = s, .last = s->spatial_rank - 1, .taps = 1, .outer_taps = 1, .in_row = 1, .out_row = 1};
    assert(s->spatial_rank >= 1 && s->spatial_rank <= SX_CONV_MAX_RANK && s->groups > 0);
    for (int d = 0; d <= p.last; d++) {
        p.taps *= s->kernel[d];
        if (d < p.last) p.outer_taps *= s->kernel[d];
        if (d > 0) p.in_row *= s->in[d];
        if (d > 0) p.out_row *= s->out[d];
    }
    p.group_inputs = s->c / s->groups;
    p.group_outputs = s->k / s->groups;
    int64_t taps = sx_max(1, p.taps), channels = sx_max(1, sx_min(p.group_outputs, sx_ceil_div(ROWS, taps)));
    while (s->n * s->groups * sx_ceil_div(p.group_outputs, channels) < CHUNKS && channels * taps >= 2 * LEAST_ROWS &&
           channels > 1)
        channels = sx_ceil_div(channels, 2);
    p.channels = sx_max(1, sx_ceil_div(p.group_outputs, sx_max(1, sx_ceil_div(p.group_outputs, channels))));
    p.parts = sx_ceil_div(p.group_outputs, p.channels);
    int64_t reach = sx_max(0, s->kernel[0] - 1) * s->dilation[0], halo = reach / s->stride[0];
    int64_t in_rows = sx_max(PRODUCT_FLOATS / sx_max(1, p.channels * taps * p.in_row), HALO_SHARE * halo) + halo;
    in_rows = sx_max(1, sx_min(in_rows, s->in[0] + halo));
    p.band = sx_max(1, sx_min(s->out[0], sx_max(1, in_rows - halo) * s->stride[0]));
    p.bands = sx_ceil_div(s->out[0], p.band);
    p.most_in = sx_min(s->in[0], (p.band - 1 + reach) / s->stride[0] + 1);
    return p;
}

static sx_gemm_args product(const plan *p, int64_t channels, int64_t in_rows) {
    return (sx_gemm_args){
        .m = channels * p->taps, .n = in_rows * p->in_row, .k = p->group_inputs, .batch = 1, .alpha = 1.0f,
        .lda = p->group_inputs, .ldb = p->s->in[0] * p->in_row, .ldc = in_rows * p->in_row};
}

static int64_t product_floats(const plan *p) {
    return sx_round_up(p->channels * p->taps * p->most_in * p->in_row, 16);
}

/// Enough for any part: the last of the channels may be cut otherwise, fewer input rows need no more.
static int64_t gemm_floats(const plan *p) {
    sx_gemm_args g = product(p, p->channels, p->most_in);
    sx_gemm_args last = product(p, p->group_outputs - (p->parts - 1) * p->channels, p->most_in);
    int64_t bytes = sx_max(sx_gemm_scratch_bytes(&g, 1), sx_gemm_scratch_bytes(&last, 1));
    return sx_round_up(bytes / (int64_t)sizeof(float), 16);
}

int64_t sx_conv_transpose_scratch_bytes(const sx_conv_nd_shape *shape, int threads) {
    plan p = make_plan(shape);
    return (product_floats(&p) + gemm_floats(&p)) * (int64_t)sizeof(float) * sx_max(threads, 1);
}

typedef struct {
    const sx_move_kernels *move;
    const float *weights;
    float *packed;
    int64_t inputs, filters;
} pack_job;

static void run_pack(void *context, int64_t group, int worker) {
    (void)worker;
    const pack_job *j = context;
    int64_t offset = group * j->inputs * j->filters;
    j->move->transpose32(j->weights + offset, j->filters, j->packed + offset, j->inputs, j->inputs, j->filters);
}

void sx_conv_transpose_pack(const sx_conv_nd_shape *shape, const float *weights, float *packed, int threads) {
    plan p = make_plan(shape);
    pack_job j = {sx_move_current(), weights, packed, p.group_inputs, p.group_outputs * p.taps};
    sx_parallel_for(threads, shape->groups, run_pack, &j);
}

/// The input coordinate that reaches output coordinate `o` through tap `t` in dimension `d`, or -1.
static int64_t source(const sx_conv_nd_shape *s, int d, int64_t o, int64_t t) {
    int64_t distance = o + s->pad_begin[d] - t * s->dilation[d];
    if (distance < 0 || distance % s->stride[d] != 0) return -1;
    int64_t i = distance / s->stride[d];
    return i < s->in[d] ? i : -1;
}

/// Offset of the input row that reaches the output row numbered `row` through the outer tap numbered `tap`, or -1.
static int64_t source_row(const plan *p, int64_t row, int64_t tap) {
    const sx_conv_nd_shape *s = p->s;
    int64_t offset = 0, step = s->in[p->last];
    for (int d = p->last - 1; d >= 0; d--) {
        int64_t i = source(s, d, row % s->out[d], tap % s->kernel[d]);
        if (i < 0) return -1;
        offset += i * step;
        step *= s->in[d];
        row /= s->out[d];
        tap /= s->kernel[d];
    }
    return offset;
}

/// One chunk's part of the output and of the input: [first, end) are rows of the outermost dimension.
typedef struct {
    int64_t channel, channels, out_first, out_end, in_first, in_end;
    float *products;  ///< [channels, taps, in_end - in_first, in_row]
    float *y;         ///< of the first channel
} part;

/// out[i stride + start] += in[i] where that is inside the output.
static void add_row(
    const float *in, int64_t in_first, int64_t in_end, float *out, int64_t out_first, int64_t out_end, int64_t start,
    int64_t stride) {
    int64_t before = out_first - start, after = out_end - start;
    int64_t begin = before <= 0 ? in_first : sx_max(in_first, sx_ceil_div(before, stride));
    int64_t end = after <= 0 ? in_first : sx_min(in_end, sx_ceil_div(after, stride));
    float *to = out + start - out_first;
    in -= in_first;
    if (stride == 1)
        for (int64_t i = begin; i < end; i++) to[i] += in[i];
    else if (stride == 2)
        for (int64_t i = begin; i < end; i++) to[2 * i] += in[i];
    else
        for (int64_t i = begin; i < end; i++) to[i * stride] += in[i];
}

/// One output row (of the last dimension) of every channel of the part.
static void gather_row(const job *j, const part *a, int64_t row) {
    const plan *p = &j->plan;
    const sx_conv_nd_shape *s = p->s;
    int last = p->last;
    // Of a tensor with one dimension only the band's part is there.
    int64_t out_first = last == 0 ? a->out_first : 0, out_end = last == 0 ? a->out_end : s->out[last];
    int64_t in_first = last == 0 ? a->in_first : 0, in_end = last == 0 ? a->in_end : s->in[last];
    int64_t plane = (a->in_end - a->in_first) * p->in_row, out_floats = s->out[0] * p->out_row;
    float *y = a->y + row * s->out[last] + out_first;
    for (int64_t k = 0; k < a->channels; k++)
        for (int64_t i = 0; i < out_end - out_first; i++)
            y[k * out_floats + i] = j->bias ? j->bias[a->channel + k] : 0.0f;
    for (int64_t outer = 0; outer < p->outer_taps; outer++) {
        int64_t offset = source_row(p, row, outer);
        if (offset < 0) continue;
        if (last > 0) offset -= a->in_first * p->in_row;
        for (int64_t tap = 0; tap < s->kernel[last]; tap++)
            for (int64_t k = 0; k < a->channels; k++)
                add_row(
                    a->products + (k * p->taps + outer * s->kernel[last] + tap) * plane + offset, in_first, in_end,
                    y + k * out_floats, out_first, out_end, tap * s->dilation[last] - s->pad_begin[last],
                    s->stride[last]);
    }
    if (j->activation.op == SX_UNARY_IDENTITY) return;
    for (int64_t k = 0; k < a->channels; k++)
        sx_unary(j->activation, y + k * out_floats, y + k * out_floats, out_end - out_first, 1);
}

static void run(void *context, int64_t chunk, int worker) {
    const job *j = context;
    const plan *p = &j->plan;
    const sx_conv_nd_shape *s = p->s;
    int64_t first_channel = chunk / p->bands % p->parts * p->channels;
    int64_t group = chunk / p->bands / p->parts % s->groups, image = chunk / p->bands / p->parts / s->groups;
    part a = {.channel = group * p->group_outputs + first_channel, .out_first = chunk % p->bands * p->band};
    a.channels = sx_min(p->channels, p->group_outputs - first_channel);
    a.out_end = sx_min(s->out[0], a.out_first + p->band);
    a.products = j->scratch + worker * j->worker_floats;
    a.y = j->y + (image * s->k + a.channel) * s->out[0] * p->out_row;
    int64_t before = a.out_first + s->pad_begin[0] - (s->kernel[0] - 1) * s->dilation[0];
    a.in_first = before <= 0 ? 0 : sx_min(s->in[0], sx_ceil_div(before, s->stride[0]));
    int64_t reached = a.out_end - 1 + s->pad_begin[0];
    a.in_end = reached < 0 ? a.in_first : sx_max(a.in_first, sx_min(s->in[0], reached / s->stride[0] + 1));
    if (a.in_end > a.in_first) {
        sx_gemm_args g = product(p, a.channels, a.in_end - a.in_first);
        g.a = j->weights + a.channel * p->taps * p->group_inputs;
        g.b = j->x + (image * s->c + group * p->group_inputs) * s->in[0] * p->in_row + a.in_first * p->in_row;
        g.c = a.products;
        sx_gemm(&g, a.products + product_floats(p), 1);
    }
    int64_t rows = p->last == 0 ? 1 : p->out_row / s->out[p->last];
    int64_t row = p->last == 0 ? 0 : a.out_first * rows, end = p->last == 0 ? 1 : a.out_end * rows;
    for (; row < end; row++) gather_row(j, &a, row);
}

void sx_conv_transpose(
    const sx_conv_nd_shape *shape, const float *x, const float *packed, const float *bias, sx_activation activation,
    float *y, void *scratch, int threads) {
    job j = {.plan = make_plan(shape), .x = x, .weights = packed, .bias = bias, .activation = activation, .y = y,
             .scratch = scratch};
    if (shape->k == 0 || j.plan.out_row * shape->out[0] == 0) return;
    j.worker_floats = product_floats(&j.plan) + gemm_floats(&j.plan);
    sx_parallel_for(threads, shape->n * shape->groups * j.plan.parts * j.plan.bands, run, &j);
}
