#include <assert.h>
#include <string.h>

#include "../base/sizes.h"
#include "sx_conv.h"
#include "sx_parallel.h"

// Convolution and transposed convolution of any rank on plain tensors, one output row (the last dimension) at a
// time: the row starts as the bias, then every input row that reaches it through some tap is added, scaled.

typedef struct {
    const sx_conv_nd_shape *s;
    bool transposed;
    const float *x, *weights, *bias;
    sx_activation activation;
    float *y;
    int64_t outer_out, outer_taps, in_floats, taps;
} nd_job;

/// The input coordinate that output coordinate `o` reads through tap `t` in dimension `d`, or -1.
static int64_t source(const nd_job *job, int d, int64_t o, int64_t t) {
    const sx_conv_nd_shape *s = job->s;
    int64_t i;
    if (job->transposed) {
        int64_t distance = o + s->pad_begin[d] - t * s->dilation[d];
        if (distance < 0 || distance % s->stride[d] != 0) return -1;
        i = distance / s->stride[d];
    } else {
        i = o * s->stride[d] - s->pad_begin[d] + t * s->dilation[d];
    }
    return i >= 0 && i < s->in[d] ? i : -1;
}

/// Offset of the input row that the output row numbered `row` reads through the outer tap numbered `tap`, or -1.
static int64_t source_row(const nd_job *job, int64_t row, int64_t tap) {
    const sx_conv_nd_shape *s = job->s;
    int64_t offset = 0, stride = s->in[s->spatial_rank - 1];
    for (int d = s->spatial_rank - 2; d >= 0; d--) {
        int64_t i = source(job, d, row % s->out[d], tap % s->kernel[d]);
        if (i < 0) return -1;
        offset += i * stride;
        stride *= s->in[d];
        row /= s->out[d];
        tap /= s->kernel[d];
    }
    return offset;
}

/// out[many i + at] += w in[few i] or, transposed, the other way round, over the i that stay inside both rows.
static void add_row(const nd_job *job, const float *in, float w, int64_t tap, float *out) {
    const sx_conv_nd_shape *s = job->s;
    int last = s->spatial_rank - 1;
    // The strided row's coordinate is i stride + start, the other row's is i.
    int64_t start = tap * s->dilation[last] - s->pad_begin[last], stride = s->stride[last];
    int64_t strided = job->transposed ? s->out[last] : s->in[last], other = job->transposed ? s->in[last] : s->out[last];
    int64_t begin = start < 0 ? sx_ceil_div(-start, stride) : 0;
    int64_t end = strided > start ? sx_min(other, sx_ceil_div(strided - start, stride)) : 0;
    if (job->transposed)
        for (int64_t i = begin; i < end; i++) out[i * stride + start] += w * in[i];
    else if (stride == 1)
        for (int64_t i = begin; i < end; i++) out[i] += w * in[i + start];
    else
        for (int64_t i = begin; i < end; i++) out[i] += w * in[i * stride + start];
}

static void run_row(void *context, int64_t chunk, int worker) {
    (void)worker;
    const nd_job *job = context;
    const sx_conv_nd_shape *s = job->s;
    int last = s->spatial_rank - 1;
    int64_t row = chunk % job->outer_out, k = chunk / job->outer_out % s->k, image = chunk / job->outer_out / s->k;
    int64_t group_inputs = s->c / s->groups, group_outputs = s->k / s->groups;
    int64_t first_input = k / group_outputs * group_inputs;
    float *out = job->y + chunk * s->out[last];
    for (int64_t i = 0; i < s->out[last]; i++) out[i] = job->bias ? job->bias[k] : 0.0f;
    for (int64_t outer = 0; outer < job->outer_taps; outer++) {
        int64_t offset = source_row(job, row, outer);
        if (offset < 0) continue;
        for (int64_t c = 0; c < group_inputs; c++) {
            const float *in = job->x + (image * s->c + first_input + c) * job->in_floats + offset;
            int64_t filter = job->transposed ? (first_input + c) * group_outputs + k % group_outputs
                                             : k * group_inputs + c;
            const float *w = job->weights + filter * job->taps + outer * s->kernel[last];
            for (int64_t tap = 0; tap < s->kernel[last]; tap++) add_row(job, in, w[tap], tap, out);
        }
    }
    if (job->activation.op != SX_UNARY_IDENTITY) sx_unary(job->activation, out, out, s->out[last], 1);
}

static void run(nd_job job, int threads) {
    const sx_conv_nd_shape *s = job.s;
    int last = s->spatial_rank - 1;
    assert(s->spatial_rank >= 1 && s->spatial_rank <= SX_CONV_MAX_RANK && s->groups > 0);
    job.outer_out = job.outer_taps = job.in_floats = job.taps = 1;
    for (int d = 0; d <= last; d++) {
        if (d < last) job.outer_out *= s->out[d];
        if (d < last) job.outer_taps *= s->kernel[d];
        job.in_floats *= s->in[d];
        job.taps *= s->kernel[d];
    }
    sx_parallel_for(threads, s->n * s->k * job.outer_out, run_row, &job);
}

void sx_conv_nd(
    const sx_conv_nd_shape *shape, const float *x, const float *weights, const float *bias, sx_activation activation,
    float *y, int threads) {
    run((nd_job){.s = shape, .x = x, .weights = weights, .bias = bias, .activation = activation, .y = y}, threads);
}

void sx_conv_transpose(
    const sx_conv_nd_shape *shape, const float *x, const float *weights, const float *bias, sx_activation activation,
    float *y, int threads) {
    run((nd_job){.s = shape, .transposed = true, .x = x, .weights = weights, .bias = bias, .activation = activation,
                 .y = y},
        threads);
}
