#ifndef SX_PEAK_H
#define SX_PEAK_H

#include <stdint.h>

/// Fused multiply-adds of float32 per second, in units of 1e9, over all `threads` together, at the current ISA
/// level, measured for about `milliseconds`; the best slice counts, so that a busy machine disturbs it less.
double sx_measure_fma_gmacs(int threads, double milliseconds);

/// Bytes per second, in units of 1e9, of reading a buffer of `bytes` per thread again and again for about
/// `milliseconds`; the best pass counts. Allocates the buffers; 0 where that fails.
double sx_measure_read_gbs(int threads, int64_t bytes, double milliseconds);

#endif
