// The kernels of Winograd F(4x4,3x3), written once for every vector ISA; included between row_avx*.h and row_end.h.
// winograd.h has the matrices.

#include "winograd.h"

/// Rows 0 to 5 of B^T d, two at a time, so that the twelve vectors of a pair stay in registers.
SX_INLINE void winograd_rows(const sx_vec d[6], const int pair, sx_vec *first, sx_vec *second) {
    const sx_vec a = SX_WINOGRAD_A, b = SX_WINOGRAD_B, a2 = SX_WINOGRAD_A2, b2 = SX_WINOGRAD_B2;
    const sx_vec sum = SX_WINOGRAD_A2 + SX_WINOGRAD_B2, product = SX_WINOGRAD_A2 * SX_WINOGRAD_B2;
    if (pair == 0) {
        *first = sx_vec_fma(product, d[0], sx_vec_fma(-sum, d[2], d[4]));
        *second = sx_vec_fma(product, d[1], sx_vec_fma(-sum, d[3], d[5]));
    } else {
        const sx_vec even = sx_vec_fma(pair == 1 ? -b2 : -a2, d[2], d[4]);
        const sx_vec odd = sx_vec_fma(pair == 1 ? -b2 : -a2, d[1], d[3]);
        const sx_vec point = pair == 1 ? a : b;
        *first = sx_vec_fma(point, odd, even);
        *second = sx_vec_fma(-point, odd, even);
    }
}

/// The two rows of a pair; pair 0 are the outermost, 0 and 5.
SX_INLINE int winograd_first_row(const int pair) { return pair == 0 ? 0 : 2 * pair - 1; }
SX_INLINE int winograd_second_row(const int pair) { return pair == 0 ? 5 : 2 * pair; }

static void winograd_input(const float *input, int64_t row_stride, int64_t tiles, float *v, int64_t v_position) {
    for (int64_t tile = 0; tile < tiles; tile++, input += 4 * 16, v += 16) {
#pragma unroll
        for (int pair = 0; pair < 3; pair++) {
            sx_vec half[2][6];
#pragma unroll
            for (int column = 0; column < 6; column++) {
                sx_vec d[6];
#pragma unroll
                for (int row = 0; row < 6; row++) d[row] = sx_vec_load(input + row * row_stride + column * 16);
                winograd_rows(d, pair, &half[0][column], &half[1][column]);
            }
#pragma unroll
            for (int h = 0; h < 2; h++) {
                float *out = v + (h ? winograd_second_row(pair) : winograd_first_row(pair)) * 6 * v_position;
#pragma unroll
                for (int across = 0; across < 3; across++) {
                    sx_vec first, second;
                    winograd_rows(half[h], across, &first, &second);
                    float *first_out = out + winograd_first_row(across) * v_position;
                    float *second_out = out + winograd_second_row(across) * v_position;
                    sx_vec_store(first_out, first);
                    sx_vec_store(second_out, second);
                    // The lines of the tile after the next, of 36 streams that no hardware follows.
                    __builtin_prefetch(first_out + 32, 1);
                    __builtin_prefetch(second_out + 32, 1);
                }
            }
        }
    }
}

/// `panels` and `tiles` are constants of the caller; `stride` are the floats of u per channel and of m per tile.
/// `ahead`: of the stream of weights, fetched into L2, `step` floats a channel.
SX_INLINE void winograd_tile(
    const sx_winograd_product *p, const float *v, const float *u, float *m, const float *ahead, const int64_t step,
    const int64_t stride, const int panels, const int tiles) {
    sx_vec sum[2][SX_CONV_MAX_PIXELS];
#pragma unroll
    for (int o = 0; o < panels; o++)
#pragma unroll
        for (int i = 0; i < tiles; i++) sum[o][i] = sx_vec_set(0.0f);
    for (int64_t left = p->channels; left > 0; left -= 16, v += p->block_stride) {
        const float *next = v + p->block_stride;
        const int64_t lanes = left < 16 ? left : 16;
#pragma unroll 4
        for (int64_t lane = 0; lane < lanes; lane++, u += stride, ahead += step, next += 16) {
            __builtin_prefetch(next);
#pragma unroll
            for (int o = 0; o < panels; o++) __builtin_prefetch(u + 8 * stride + o * 16);
            __builtin_prefetch(ahead, 0, 2);
            sx_vec weight[2];
#pragma unroll
            for (int o = 0; o < panels; o++) weight[o] = sx_vec_load(u + o * 16);
#pragma unroll
            for (int i = 0; i < tiles; i++) {
                const sx_vec x = sx_vec_set(v[i * 16 + lane]);
#pragma unroll
                for (int o = 0; o < panels; o++) sum[o][i] = sx_vec_fma(x, weight[o], sum[o][i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < tiles; i++)
#pragma unroll
        for (int o = 0; o < panels; o++) sx_vec_store(m + i * stride + o * 16, sum[o][i]);
}

/// Picks the tile kernel; each ISA defines it, with WINOGRAD_TILES, the most tiles it takes.
static void winograd_group(
    const sx_winograd_product *p, const float *v, const float *u, float *m, const float *ahead, int64_t step, int tiles);

/// The tiles are cut into groups of nearly the same size that the registers hold; meanwhile the weights of the next
/// position are fetched.
static void winograd_product(const sx_winograd_product *p) {
    const int64_t groups = (p->tiles + WINOGRAD_TILES - 1) / WINOGRAD_TILES;
    const int64_t step = 16 * ((p->panels + groups - 1) / groups);
    for (int64_t position = 0; position < p->positions; position++) {
        const float *v = p->v + position * p->v_position, *u = p->u + position * p->u_position;
        float *m = p->m + position * p->m_position;
        for (int64_t group = 0; group < groups; group++) {
            const int64_t begin = group * p->tiles / groups, end = (group + 1) * p->tiles / groups;
            const float *ahead = u + p->u_position + group * p->channels * step;
            winograd_group(
                p, v + begin * 16, u, m + begin * 16 * p->panels, ahead, step, (int)(end - begin));
        }
    }
}

#define SX_WINOGRAD_GROUP(panels, tiles) \
    case (panels) * 32 + (tiles): winograd_tile(p, v, u, m, ahead, step, 16 * (panels), panels, tiles); break;

/// A^T m of six vectors.
SX_INLINE void winograd_columns(const sx_vec m[6], sx_vec y[4]) {
    const sx_vec s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
    y[0] = m[0] + s1 + s2;
    y[1] = sx_vec_fma(sx_vec_set(SX_WINOGRAD_B), d2, SX_WINOGRAD_A * d1);
    y[2] = sx_vec_fma(sx_vec_set(SX_WINOGRAD_B2), s2, SX_WINOGRAD_A2 * s1);
    y[3] = sx_vec_fma(
        sx_vec_set(SX_WINOGRAD_B * SX_WINOGRAD_B2), d2,
        sx_vec_fma(sx_vec_set(SX_WINOGRAD_A * SX_WINOGRAD_A2), d1, m[5]));
}

SX_INLINE void winograd_store(const sx_winograd_outputs *p, int64_t offset, int row, const sx_vec y[4]) {
    const sx_conv_store *store = &p->store;
    offset += row * p->row_stride;
    if (!sx_conv_stores_vectors(store)) {
        float sums[4 * 16] __attribute__((aligned(64)));
#pragma unroll
        for (int i = 0; i < 4; i++) sx_vec_store(sums + i * 16, y[i]);
        const sx_conv_store moved = sx_conv_store_at(store, offset);
        finish_sums(&moved, 1, p->columns, sums);
        return;
    }
    const sx_vec low = sx_vec_set(store->low), high = sx_vec_set(store->high);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        if (i >= p->columns) return;
        const int64_t at = offset + i * store->pixel_stride;
        sx_vec v = store->leaks ? sx_vec_select(y[i] < 0.0f, store->activation.a * y[i], y[i]) : y[i];
        if (store->residual) v += sx_vec_load(store->residual + at);
        sx_vec_store(store->output + at, sx_vec_at_most(sx_vec_at_least(v, low), high));
    }
}

static void winograd_output(const sx_winograd_outputs *p) {
    const sx_vec bias = sx_vec_load(p->bias);
    for (int64_t tile = 0; tile < p->tiles; tile++) {
        const float *m = p->m + tile * p->m_tile;
        sx_vec half[4][6];
#pragma unroll
        for (int column = 0; column < 6; column++) {
            sx_vec in[6], out[4];
#pragma unroll
            for (int row = 0; row < 6; row++) in[row] = sx_vec_load(m + (row * 6 + column) * p->m_position);
            winograd_columns(in, out);
#pragma unroll
            for (int row = 0; row < 4; row++) half[row][column] = out[row];
        }
#pragma unroll
        for (int row = 0; row < 4; row++) {
            if (row >= p->rows) break;
            sx_vec y[4];
            winograd_columns(half[row], y);
#pragma unroll
            for (int i = 0; i < 4; i++) y[i] += bias;
            winograd_store(p, tile * 4 * p->store.pixel_stride, row, y);
        }
    }
}
