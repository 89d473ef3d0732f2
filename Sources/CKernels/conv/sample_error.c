#include <math.h>
#include <stdlib.h>

#include "conv_geometry.h"
#include "sx_conv.h"
#include "sx_parallel.h"

// The load-time test of packed weights: a small image of random activations, convolved by the algorithm in question
// and, at a few pixels for each output channel, in double precision.

enum { ROWS = 4, COLUMNS = 8, PIXELS = ROWS * COLUMNS, SAMPLES = 2 };

typedef struct {
    sx_conv_shape s;
    const float *weights, *bias;
    float *x;        // blocked or plain, as the shape has it
    float *windows;  // [PIXELS][c][kh][kw]
    float *y;        // [PIXELS][k]
    double *error, *power;  // [k], sums of squares
} sample_job;

static int64_t input_index(const sx_conv_shape *s, int64_t c, int64_t y, int64_t x) {
    int64_t lanes = sx_conv_lanes(s);
    return ((c / lanes * s->h + y) * s->w + x) * lanes + c % lanes;
}

/// Half of the activations are zero, as after Relu; the others are uniform in (0, 1).
static void fill_input(const sample_job *job) {
    const sx_conv_shape *s = &job->s;
    uint32_t state = 2463534242u;
    for (int64_t c = 0; c < s->c; c++)
        for (int64_t y = 0; y < s->h; y++)
            for (int64_t x = 0; x < s->w; x++) {  // Marsaglia, Xorshift RNGs, 2003
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                int32_t value = (int32_t)state >> 8;
                job->x[input_index(s, c, y, x)] = value > 0 ? (float)value * 0x1p-23f : 0.0f;
            }
}

static void fill_windows(const sample_job *job) {
    const sx_conv_shape *s = &job->s;
    float *window = job->windows;
    for (int64_t pixel = 0; pixel < PIXELS; pixel++)
        for (int64_t c = 0; c < s->c; c++)
            for (int64_t ky = 0; ky < s->kh; ky++)
                for (int64_t kx = 0; kx < s->kw; kx++)
                    *window++ = job->x[input_index(
                        s, c, pixel / COLUMNS * s->stride_h + ky * s->dilation_h,
                        pixel % COLUMNS * s->stride_w + kx * s->dilation_w)];
}

static double dot(const float *a, const float *b, int64_t count) {
    double sums[8] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int j = 0; j < 8; j++) sums[j] += (double)a[i + j] * (double)b[i + j];
    for (; i < count; i++) sum += (double)a[i] * (double)b[i];
    for (int j = 0; j < 8; j++) sum += sums[j];
    return sum;
}

/// One output channel at SAMPLES pixels, which differ from channel to channel.
static void compare(void *context, int64_t k, int worker) {
    (void)worker;
    const sample_job *job = context;
    const sx_conv_shape *s = &job->s;
    int64_t taps = s->kh * s->kw, terms = s->c / s->groups * taps;
    const float *group = job->windows + sx_conv_group_of(s, k) * terms;
    for (int64_t sample = 0; sample < SAMPLES; sample++) {
        int64_t pixel = (k * (5 + 6 * sample) + 19 * sample) % PIXELS;
        double sum = dot(group + pixel * s->c * taps, job->weights + k * terms, terms) + (job->bias ? job->bias[k] : 0);
        double error = (double)job->y[pixel * s->k + k] - sum;
        job->error[k] += error * error;
        job->power[k] += sum * sum;
    }
}

static double relative_error(const sample_job *job, int threads) {
    fill_windows(job);
    sx_parallel_for(threads, job->s.k, compare, (void *)job);
    double error = 0, power = 0;
    for (int64_t k = 0; k < job->s.k; k++) {
        error += job->error[k];
        power += job->power[k];
    }
    return error == 0 ? 0 : sqrt(error / power);
}

double sx_conv_sample_error(
    const sx_conv_shape *shape, sx_conv_algorithm algorithm, const float *weights, const float *bias,
    const void *packed, int threads) {
    sample_job job = {.s = *shape, .weights = weights, .bias = bias};
    sx_conv_shape *s = &job.s;
    s->n = 1;
    s->oh = ROWS;
    s->ow = COLUMNS;
    s->h = (ROWS - 1) * s->stride_h + (s->kh - 1) * s->dilation_h + 1;
    s->w = (COLUMNS - 1) * s->stride_w + (s->kw - 1) * s->dilation_w + 1;
    s->pad_top = s->pad_left = s->output_batch_stride = s->output_pixel_stride = 0;
    s->output_layout = SX_LAYOUT_NHWC;
    size_t input = (size_t)(sx_conv_input_blocks(s) * sx_conv_lanes(s) * s->h * s->w);
    size_t scratch_bytes = (size_t)sx_conv_scratch_bytes(s, algorithm, threads);
    job.x = calloc(input, sizeof(float));
    job.windows = malloc((size_t)(PIXELS * s->c * s->kh * s->kw) * sizeof(float));
    job.y = malloc((size_t)(PIXELS * s->k) * sizeof(float));
    job.error = calloc((size_t)s->k * 2, sizeof(double));
    job.power = job.error + s->k;
    void *scratch = aligned_alloc(64, (size_t)sx_round_up((int64_t)scratch_bytes, 64));
    double result = INFINITY;
    if (job.x && job.windows && job.y && job.error && scratch) {
        sx_conv_epilogue none = {.residual = NULL, .activation = {.op = SX_UNARY_IDENTITY}};
        fill_input(&job);
        sx_conv(s, algorithm, job.x, packed, &none, job.y, scratch, threads);
        result = relative_error(&job, threads);
    }
    free(job.x);
    free(job.windows);
    free(job.y);
    free(job.error);
    free(scratch);
    return result;
}
