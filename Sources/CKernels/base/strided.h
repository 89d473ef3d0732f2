#ifndef SX_STRIDED_H
#define SX_STRIDED_H

#include <stdint.h>

#include "sizes.h"

enum { SX_STRIDED_MAX_RANK = 16 };

/// Merges the dimensions of a loop nest over `operands` strided arrays where every array allows it and drops
/// dimensions of one; returns the rank left, at least 1. `stride[o]` are the strides of operand o, outermost first.
static inline int sx_collapse(int rank, int64_t *dims, int operands, int64_t (*stride)[SX_STRIDED_MAX_RANK]) {
    int kept = 0;
    for (int d = 0; d < rank; d++) {
        if (dims[d] == 1) continue;
        int merge = kept > 0;
        for (int o = 0; merge && o < operands; o++) merge = stride[o][kept - 1] == stride[o][d] * dims[d];
        if (!merge) {
            dims[kept] = dims[d];
            for (int o = 0; o < operands; o++) stride[o][kept] = stride[o][d];
            kept++;
        } else {
            dims[kept - 1] *= dims[d];
            for (int o = 0; o < operands; o++) stride[o][kept - 1] = stride[o][d];
        }
    }
    if (kept == 0) {
        dims[0] = 1;
        for (int o = 0; o < operands; o++) stride[o][0] = 1;
        kept = 1;
    }
    return kept;
}

/// Offset of the position with row-major number `index` in `dims`.
static inline int64_t sx_offset(int rank, const int64_t *dims, const int64_t *stride, int64_t index) {
    int64_t offset = 0;
    for (int d = rank - 1; d >= 0; d--) {
        offset += index % dims[d] * stride[d];
        index /= dims[d];
    }
    return offset;
}

enum { SX_NEST_OPERANDS = 3 };

/// A loop nest of rank at least 2 over strided arrays, cut into tiles of its two inner dimensions.
typedef struct {
    int rank, operands;
    int64_t dims[SX_STRIDED_MAX_RANK + 1];
    int64_t stride[SX_NEST_OPERANDS][SX_STRIDED_MAX_RANK];
    int64_t row_block, column_block, row_blocks, column_blocks, tiles;
} sx_nest;

typedef struct {
    int64_t offset[SX_NEST_OPERANDS], rows, columns;
} sx_nest_tile;

/// Gives a nest of one dimension a first dimension of one.
static inline void sx_nest_widen(sx_nest *nest) {
    if (nest->rank != 1) return;
    nest->rank = 2;
    nest->dims[1] = nest->dims[0];
    nest->dims[0] = 1;
    for (int o = 0; o < nest->operands; o++) nest->stride[o][1] = nest->stride[o][0];
}

/// Cuts the nest into tiles of at most `row_block` by `column_block`.
static inline void sx_nest_cut(sx_nest *nest, int64_t row_block, int64_t column_block) {
    int64_t rows = nest->dims[nest->rank - 2], columns = nest->dims[nest->rank - 1];
    nest->row_block = sx_min(rows, row_block);
    nest->column_block = sx_min(columns, column_block);
    nest->row_blocks = sx_ceil_div(rows, nest->row_block);
    nest->column_blocks = sx_ceil_div(columns, nest->column_block);
    nest->tiles = nest->row_blocks * nest->column_blocks;
    for (int d = 0; d < nest->rank - 2; d++) nest->tiles *= nest->dims[d];
}

static inline sx_nest_tile sx_nest_at(const sx_nest *nest, int64_t index) {
    int row = nest->rank - 2, column = nest->rank - 1;
    int64_t j = index % nest->column_blocks * nest->column_block;
    int64_t i = index / nest->column_blocks % nest->row_blocks * nest->row_block;
    int64_t outer = index / nest->column_blocks / nest->row_blocks;
    sx_nest_tile tile;
    for (int o = 0; o < nest->operands; o++)
        tile.offset[o] = sx_offset(row, nest->dims, nest->stride[o], outer) + i * nest->stride[o][row] +
                         j * nest->stride[o][column];
    tile.rows = sx_min(nest->row_block, nest->dims[row] - i);
    tile.columns = sx_min(nest->column_block, nest->dims[column] - j);
    return tile;
}

#endif
