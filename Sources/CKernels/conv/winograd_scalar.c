#include "winograd.h"

// The oracle of the vector rows: the matrices of winograd.h, multiplied out.

#define A SX_WINOGRAD_A
#define B SX_WINOGRAD_B
#define A2 SX_WINOGRAD_A2
#define B2 SX_WINOGRAD_B2

static const float input_matrix[6][6] = {
    {A2 * B2, 0, -A2 - B2, 0, 1, 0}, {0, -A *B2, -B2, A, 1, 0}, {0, A *B2, -B2, -A, 1, 0},
    {0, -B *A2, -A2, B, 1, 0},       {0, B *A2, -A2, -B, 1, 0}, {0, A2 *B2, 0, -A2 - B2, 0, 1},
};

static const float output_matrix[4][6] = {
    {1, 1, 1, 1, 1, 0}, {0, A, -A, B, -B, 0}, {0, A2, A2, B2, B2, 0}, {0, A *A2, -A *A2, B *B2, -B *B2, 1}};

/// out = matrix in matrix^T of `rows` by 6 and 6 by 6.
static void sandwich(int rows, const float (*matrix)[6], const float in[6][6], float out[6][6]) {
    float half[6][6] = {{0}};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < 6; j++)
            for (int k = 0; k < 6; k++) half[i][j] += matrix[i][k] * in[k][j];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            out[i][j] = 0;
            for (int k = 0; k < 6; k++) out[i][j] += half[i][k] * matrix[j][k];
        }
}

void sx_winograd_input_scalar(const float *input, int64_t row_stride, int64_t tiles, float *v, int64_t v_position) {
    for (int64_t tile = 0; tile < tiles; tile++)
        for (int lane = 0; lane < SX_BLOCK; lane++) {
            float in[6][6], out[6][6];
            for (int i = 0; i < 6; i++)
                for (int j = 0; j < 6; j++) in[i][j] = input[i * row_stride + (tile * 4 + j) * SX_BLOCK + lane];
            sandwich(6, input_matrix, in, out);
            for (int i = 0; i < SX_WINOGRAD_POSITIONS; i++)
                v[i * v_position + tile * SX_BLOCK + lane] = out[i / 6][i % 6];
        }
}

void sx_winograd_product_scalar(const sx_winograd_product *p) {
    int outputs = p->panels * SX_BLOCK;
    for (int64_t position = 0; position < p->positions; position++)
        for (int64_t tile = 0; tile < p->tiles; tile++) {
            const float *v = p->v + position * p->v_position + tile * SX_BLOCK;
            float *m = p->m + position * p->m_position + tile * outputs;
            for (int o = 0; o < outputs; o++) m[o] = 0;
            for (int64_t c = 0; c < p->channels; c++)
                for (int o = 0; o < outputs; o++)
                    m[o] += v[c / SX_BLOCK * p->block_stride + c % SX_BLOCK] *
                            p->u[position * p->u_position + c * outputs + o];
        }
}

void sx_winograd_output_scalar(const sx_winograd_outputs *p) {
    for (int64_t tile = 0; tile < p->tiles; tile++) {
        float sums[4][4 * SX_BLOCK];
        for (int lane = 0; lane < SX_BLOCK; lane++) {
            float in[6][6], out[6][6];
            for (int i = 0; i < SX_WINOGRAD_POSITIONS; i++)
                in[i / 6][i % 6] = p->m[i * p->m_position + tile * p->m_tile + lane];
            sandwich(4, output_matrix, in, out);
            for (int i = 0; i < 16; i++) sums[i / 4][i % 4 * SX_BLOCK + lane] = out[i / 4][i % 4] + p->bias[lane];
        }
        for (int row = 0; row < p->rows; row++) {
            sx_conv_store store = p->store;
            int64_t offset = tile * 4 * store.pixel_stride + row * p->row_stride;
            store.output += offset;
            if (store.residual) store.residual += offset;
            sx_conv_finish(&store, 1, p->columns, sums[row]);
        }
    }
}
