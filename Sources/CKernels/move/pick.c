#include "sx_move.h"

#include <string.h>

typedef uint32_t bits __attribute__((may_alias));

// Row after row instead of element after element: of rows whose distance is a power of two, the elements of one column
// lie in the same sets of the caches, and drive each other out.
void sx_pick_rows(const float *src, const int32_t *row, float *dst, int64_t rows, int64_t stride, int64_t n) {
    bits *restrict picked = (bits *)dst;
    memset(dst, 0, (size_t)n * sizeof *dst);
    for (int32_t r = 0; r < rows; r++) {
        const bits *restrict values = (const bits *)(src + r * stride);
        for (int64_t i = 0; i < n; i++) picked[i] |= values[i] & -(uint32_t)(row[i] == r);
    }
}
