#include "direct_job.h"
#include "patch.h"
#include "sx_parallel.h"

// Tiles that meet a border need several calls each. Where rows are short, most tiles do, and a plain input has few
// channels: there the input is copied with its padding first, a few percent of the work, after which every tile sees
// all taps, and kernels that scatter need not stop at the end of a row.

enum {
    SHORT_ROW = 18,
    FEWEST_OUTPUTS = 32,
    FEWEST_PLAIN_OUTPUTS = 16,
    WIDEST = 16,  // of windows and dilations
    MARGIN = 32,  // of rows and columns that a copy may have more than twice the input
};

bool sx_direct_pads(const sx_conv_shape *s, const sx_conv_kernels *kernels) {
    bool plain = s->input_layout != SX_LAYOUT_BLOCKED16;
    if (plain ? !kernels->scatters || s->k < FEWEST_PLAIN_OUTPUTS
              : s->kw == 1 || s->ow > SHORT_ROW || s->k < FEWEST_OUTPUTS)
        return false;
    if (sx_max(s->kh, s->kw) > WIDEST || sx_max(s->dilation_h, s->dilation_w) > WIDEST) return false;
    sx_conv_shape padded = sx_direct_padded(s);
    bool has_border = s->pad_top > 0 || s->pad_left > 0 || padded.h > s->h || padded.w > s->w;
    return has_border && padded.h <= 2 * s->h + MARGIN && padded.w <= 2 * s->w + MARGIN;
}

sx_conv_shape sx_direct_padded(const sx_conv_shape *s) {
    sx_conv_shape padded = *s;
    padded.h = (s->oh - 1) * s->stride_h + (s->kh - 1) * s->dilation_h + 1;
    padded.w = (s->ow - 1) * s->stride_w + (s->kw - 1) * s->dilation_w + 1;
    padded.pad_top = padded.pad_left = 0;
    return padded;
}

int64_t sx_direct_padded_floats(const sx_conv_shape *s) {
    sx_conv_shape padded = sx_direct_padded(s);
    return s->n * sx_conv_input_blocks(s) * padded.h * padded.w * sx_conv_lanes(s);
}

typedef struct {
    const sx_conv_shape *s;
    sx_conv_shape padded;
    const float *x;
    float *copy;
} job;

/// One block of channels.
static void copy_plane(void *context, int64_t plane, int worker) {
    (void)worker;
    const job *j = context;
    const sx_conv_shape *s = j->s;
    int64_t rows = j->padded.h, columns = j->padded.w, lanes = sx_conv_lanes(s);
    sx_conv_copy_patch(
        s, j->x + plane * s->h * s->w * lanes, -s->pad_top, -s->pad_left, rows, columns,
        j->copy + plane * rows * columns * lanes);
}

void sx_direct_pad(const sx_conv_shape *s, const float *x, float *copy, int threads) {
    job j = {s, sx_direct_padded(s), x, copy};
    sx_parallel_for(threads, s->n * sx_conv_input_blocks(s), copy_plane, &j);
}
