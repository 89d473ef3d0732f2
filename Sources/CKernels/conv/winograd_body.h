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

/// Up to 16 channels of a group of tiles. AVX-512 fetches the next channels of v and `ahead` as it goes, a line a lane.
SX_INLINE void winograd_lanes(
    sx_vec sum[][SX_CONV_MAX_PIXELS], const float *v, const float *next, const float *u, const float *ahead,
    const int64_t step, const int64_t lanes, const int64_t stride, const int panels, const int tiles) {
#pragma unroll WINOGRAD_UNROLL
    for (int64_t lane = 0; lane < lanes; lane++, u += stride, ahead += step, next += 16) {
        if (WINOGRAD_FETCHES_LANES) {
            __builtin_prefetch(next);
#pragma unroll
            for (int o = 0; o < panels; o++) __builtin_prefetch(u + 8 * stride + o * 16);
            __builtin_prefetch(ahead, 0, 2);
        }
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
    for (int64_t left = p->channels; left > 0; left -= 16, v += p->block_stride, u += 16 * stride, ahead += 16 * step) {
        const float *next = v + p->block_stride;
        if (!WINOGRAD_FETCHES_LANES) {
#pragma unroll
            for (int i = 0; i < tiles; i++) __builtin_prefetch(next + i * 16);
            for (int64_t line = 0; line < step; line++) __builtin_prefetch(ahead + line * 16, 0, 2);
        }
        if (left >= 16)
            winograd_lanes(sum, v, next, u, ahead, step, 16, stride, panels, tiles);
        else
            winograd_lanes(sum, v, next, u, ahead, step, left, stride, panels, tiles);
    }
#pragma unroll
    for (int i = 0; i < tiles; i++)
#pragma unroll
        for (int o = 0; o < panels; o++) sx_vec_store(m + i * stride + o * 16, sum[o][i]);
}

/// Of the panels of a slice, those that go through a tile kernel together.
SX_INLINE int winograd_panels(const int slice) { return slice < WINOGRAD_PANELS ? slice : WINOGRAD_PANELS; }

/// Picks the tile kernel; each ISA defines it, with WINOGRAD_TILES and WINOGRAD_PANELS, the most tiles and panels it
/// takes.
static void winograd_group(
    const sx_winograd_product *p, const float *v, const float *u, float *m, const float *ahead, int64_t step, int tiles);

/// The tiles are cut into groups of nearly the same size that the registers hold; meanwhile the weights of the next
/// position are fetched. Where the panels of a slice do not fit together, each one's weights stay in L1 for all groups.
static void winograd_product(const sx_winograd_product *p) {
    const int64_t groups = (p->tiles + WINOGRAD_TILES - 1) / WINOGRAD_TILES;
    const int panels = winograd_panels(p->panels);
    const int64_t calls = groups * (p->panels / panels);
    // Floats a channel, in whole lines a lane or a block.
    const int64_t lines = WINOGRAD_FETCHES_LANES ? (p->panels + calls - 1) / calls : (16 * p->panels + calls - 1) / calls;
    const int64_t step = WINOGRAD_FETCHES_LANES ? 16 * lines : lines;
    for (int64_t position = 0; position < p->positions; position++) {
        const float *v = p->v + position * p->v_position, *u = p->u + position * p->u_position;
        const float *ahead = u + p->u_position;
        float *m = p->m + position * p->m_position;
        for (int panel = 0; panel < p->panels; panel += panels)
            for (int64_t group = 0; group < groups; group++, ahead += p->channels * step) {
                const int64_t begin = group * p->tiles / groups, end = (group + 1) * p->tiles / groups;
                winograd_group(
                    p, v + begin * 16, u + panel * 16, m + (begin * p->panels + panel) * 16, ahead, step,
                    (int)(end - begin));
            }
    }
}

/// A group of tiles, for as many panels of a slice as the registers hold.
#define SX_WINOGRAD_GROUP(slice, tiles)                                                       \
    case (slice) * 32 + (tiles):                                                              \
        winograd_tile(p, v, u, m, ahead, step, 16 * (slice), winograd_panels(slice), tiles); \
        break;

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
