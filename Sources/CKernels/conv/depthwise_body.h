// The depthwise kernel, written once for every vector ISA; included between row_avx*.h and row_end.h, after
// finish_body.h. A column of the input is loaded once a row of taps and meets every pixel that sees it.

/// `width` (taps of a row; 0: any, with any dilation), `stride` and `pixels` are constants of the caller.
SX_INLINE void depthwise_tile(
    const sx_conv_depthwise_row *t, int64_t pixel, const int width, const int stride, const int pixels) {
    static const float zeros[16] __attribute__((aligned(64)));
    sx_vec sum[1][SX_CONV_MAX_PIXELS];
    const sx_vec bias = sx_vec_load(t->bias);
#pragma unroll
    for (int i = 0; i < pixels; i++) sum[0][i] = bias;
    const int64_t step = stride ? stride : t->stride, first = t->first_column + pixel * step;
    for (int64_t row = 0; row < t->rows; row++) {
        const float *in = t->input + row * t->row_stride + first * 16;
        const float *w = t->weights + row * t->columns * 16;
        if (width) {
            sx_vec weight[8];
#pragma unroll
            for (int k = 0; k < width; k++) weight[k] = sx_vec_load(w + k * 16);
#pragma unroll
            for (int j = 0; j < (pixels - 1) * stride + width; j++) {
                const sx_vec x = sx_vec_load((uint64_t)(first + j) < (uint64_t)t->input_columns ? in + j * 16 : zeros);
#pragma unroll
                for (int i = 0; i < pixels; i++) {
                    const int k = j - i * stride;
                    if (k >= 0 && k < width) sum[0][i] = sx_vec_fma(x, weight[k], sum[0][i]);
                }
            }
        } else {
            for (int64_t k = 0; k < t->columns; k++) {
                const sx_vec weight = sx_vec_load(w + k * 16);
#pragma unroll
                for (int i = 0; i < pixels; i++) {
                    const int64_t column = k * t->dilation + i * step;
                    const bool inside = (uint64_t)(first + column) < (uint64_t)t->input_columns;
                    sum[0][i] = sx_vec_fma(sx_vec_load(inside ? in + column * 16 : zeros), weight, sum[0][i]);
                }
            }
        }
    }
    store_tile(&t->store, pixel * t->store.pixel_stride, sum, 1, pixels);
}

#define SX_DEPTHWISE(pixels) \
    case pixels: depthwise_tile(t, pixel, width, stride, pixels); return;

/// Picks the tile; each ISA defines it, with DEPTHWISE_PIXELS, the most pixels it takes.
SX_INLINE void depthwise_tiles(
    const sx_conv_depthwise_row *t, int64_t pixel, const int width, const int stride, int64_t pixels);

/// The row is cut into tiles of nearly the same size.
SX_INLINE void depthwise_cut(const sx_conv_depthwise_row *t, const int width, const int stride) {
    const int64_t tiles = (t->pixels + DEPTHWISE_PIXELS - 1) / DEPTHWISE_PIXELS;
    int64_t begin = 0;
    for (int64_t tile = 0; tile < tiles; tile++) {
        const int64_t end = (tile + 1) * t->pixels / tiles;
        depthwise_tiles(t, begin, width, stride, end - begin);
        begin = end;
    }
}

static void depthwise(const sx_conv_depthwise_row *t) {
    const int64_t kind = t->dilation == 1 && t->stride <= 2 ? t->columns * 2 + t->stride : 0;
    switch (kind) {
        case 3 * 2 + 1: depthwise_cut(t, 3, 1); return;
        case 3 * 2 + 2: depthwise_cut(t, 3, 2); return;
        case 5 * 2 + 1: depthwise_cut(t, 5, 1); return;
        case 5 * 2 + 2: depthwise_cut(t, 5, 2); return;
        default: depthwise_cut(t, 0, 0); return;
    }
}
