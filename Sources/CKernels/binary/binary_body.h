#include "../base/power.h"
#include "binary_kernels.h"

typedef sx_vec (*function)(sx_vec a, sx_vec b);

SX_INLINE sx_vec f_add(sx_vec a, sx_vec b) { return a + b; }
SX_INLINE sx_vec f_sub(sx_vec a, sx_vec b) { return a - b; }
SX_INLINE sx_vec f_mul(sx_vec a, sx_vec b) { return a * b; }
SX_INLINE sx_vec f_div(sx_vec a, sx_vec b) { return a / b; }
SX_INLINE sx_vec f_min(sx_vec a, sx_vec b) { return sx_vec_select(b != b, b, sx_vec_at_most(a, b)); }
SX_INLINE sx_vec f_max(sx_vec a, sx_vec b) { return sx_vec_select(b != b, b, sx_vec_at_least(a, b)); }
SX_INLINE sx_vec f_prelu(sx_vec a, sx_vec b) { return sx_vec_select(a < 0.0f, a * b, a); }
SX_INLINE sx_vec f_first(sx_vec a, sx_vec b) { return a; }
SX_INLINE sx_vec f_square(sx_vec a, sx_vec b) { return a * a; }
SX_INLINE sx_vec f_cube(sx_vec a, sx_vec b) { return a * a * a; }
SX_INLINE sx_vec f_pow(sx_vec a, sx_vec b) {
    for (int i = 0; i < 16; i++) a[i] = sx_pow(a[i], b[i]);
    return a;
}

/// Column strides are 1, or 0 for a scalar operand.
SX_INLINE void map(const sx_binary_plane *p, function f) {
    for (int64_t i = 0; i < p->rows; i++) {
        const float *a = p->a + i * p->a_row, *b = p->b + i * p->b_row;
        float *y = p->y + i * p->y_row;
        int64_t n = p->columns, j = 0;
        if (p->a_column && p->b_column) {
            for (; j + 16 <= n; j += 16) sx_vec_store(y + j, f(sx_vec_load(a + j), sx_vec_load(b + j)));
        } else if (p->a_column) {
            sx_vec second = sx_vec_set(*b);
            for (; j + 16 <= n; j += 16) sx_vec_store(y + j, f(sx_vec_load(a + j), second));
        } else if (p->b_column) {
            sx_vec first = sx_vec_set(*a);
            for (; j + 16 <= n; j += 16) sx_vec_store(y + j, f(first, sx_vec_load(b + j)));
        } else {
            sx_vec both = f(sx_vec_set(*a), sx_vec_set(*b));
            for (; j + 16 <= n; j += 16) sx_vec_store(y + j, both);
        }
        if (j < n) {
            sx_vec first = p->a_column ? sx_vec_load_first(a + j, n - j) : sx_vec_set(*a);
            sx_vec second = p->b_column ? sx_vec_load_first(b + j, n - j) : sx_vec_set(*b);
            sx_vec_store_first(y + j, f(first, second), n - j);
        }
    }
}

static void pow_plane(const sx_binary_plane *p) {
    int is_scalar = p->b_column == 0 && (p->rows == 1 || p->b_row == 0);
    if (is_scalar && *p->b == 1.0f)
        map(p, f_first);
    else if (is_scalar && *p->b == 2.0f)
        map(p, f_square);
    else if (is_scalar && *p->b == 3.0f)
        map(p, f_cube);
    else
        map(p, f_pow);
}

static void unit_plane(sx_binary_op op, const sx_binary_plane *p) {
    switch (op) {
    case SX_BINARY_ADD: map(p, f_add); break;
    case SX_BINARY_SUB: map(p, f_sub); break;
    case SX_BINARY_MUL: map(p, f_mul); break;
    case SX_BINARY_DIV: map(p, f_div); break;
    case SX_BINARY_MIN: map(p, f_min); break;
    case SX_BINARY_MAX: map(p, f_max); break;
    case SX_BINARY_POW: pow_plane(p); break;
    case SX_BINARY_PRELU: map(p, f_prelu); break;
    case SX_BINARY_COUNT: break;
    }
}

enum { GATHERED = 256 };

/// Brings n elements at `stride` together in `buffer` unless they lie together already or are one scalar.
static const float *gather(const float *x, int64_t stride, int64_t n, float *buffer) {
    if (stride == 0 || stride == 1) return x;
    for (int64_t j = 0; j < n; j++) buffer[j] = x[j * stride];
    return buffer;
}

static void plane(sx_binary_op op, const sx_binary_plane *p) {
    if ((p->a_column == 0 || p->a_column == 1) && (p->b_column == 0 || p->b_column == 1)) {
        unit_plane(op, p);
        return;
    }
    float a[GATHERED], b[GATHERED];
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t j = 0; j < p->columns; j += GATHERED) {
            int64_t n = p->columns - j < GATHERED ? p->columns - j : GATHERED;
            sx_binary_plane part = {
                gather(p->a + i * p->a_row + j * p->a_column, p->a_column, n, a),
                gather(p->b + i * p->b_row + j * p->b_column, p->b_column, n, b),
                p->y + i * p->y_row + j, 1, n, 0, p->a_column != 0, 0, p->b_column != 0, 0};
            unit_plane(op, &part);
        }
}

const sx_binary_kernels SX_ROW(sx_binary_kernels) = {plane};
