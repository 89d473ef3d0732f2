#ifndef SX_WINOGRAD_H
#define SX_WINOGRAD_H

#include "conv_kernels.h"
#include "sx_conv.h"

// Winograd's F(4x4,3x3): y = A^T [(G g G^T) (B^T d B)] A for a tile of 4x4 outputs, its window d of 6x6 inputs, the
// filter g of 3x3, at the points 0, a, -a, b, -b and infinity (Lavin and Gray, Fast Algorithms for Convolutional
// Neural Networks, 2016). With a = 3/4, b = 3/2 the entries of A and B are short binary fractions and the error is
// the least of the choices compared (after Barabasz et al., Error Analysis and Improving the Accuracy of Winograd
// Convolution, 2020).
//
//     B^T:  a2b2  0   -a2-b2   0   1  0      A^T:  1  1   1   1   1   0      G:  1/(a2b2)   0   0
//           0  -ab2  -b2   a   1  0                0  a  -a   b  -b   0          (1   a   a2) / 2a2(a2-b2)
//           0   ab2  -b2  -a   1  0                0  a2  a2  b2  b2  0          (1  -a   a2) / 2a2(a2-b2)
//           0  -ba2  -a2   b   1  0                0  a3 -a3  b3 -b3  1          (1   b   b2) / 2b2(b2-a2)
//           0   ba2  -a2  -b   1  0                                              (1  -b   b2) / 2b2(b2-a2)
//           0   a2b2  0  -a2-b2  0  1                                            0     0      1
#define SX_WINOGRAD_A 0.75f
#define SX_WINOGRAD_B 1.5f
#define SX_WINOGRAD_A2 (SX_WINOGRAD_A * SX_WINOGRAD_A)
#define SX_WINOGRAD_B2 (SX_WINOGRAD_B * SX_WINOGRAD_B)

enum {
    SX_WINOGRAD_OUT = 4,         ///< outputs of a tile along one side
    SX_WINOGRAD_IN = 6,          ///< inputs of a tile along one side
    SX_WINOGRAD_POSITIONS = 36,  ///< products of a tile
    SX_WINOGRAD_PANELS = 2,      ///< panels of a slice, but for the last of an odd number
    SX_WINOGRAD_SLICE = SX_WINOGRAD_PANELS * SX_BLOCK,
};

/// Whether Winograd computes a shape, and in less time than the direct algorithm.
bool sx_winograd_suits(const sx_conv_shape *shape);

/// Packed weights: the bias [panels 16], then transformed weights, one sequential stream per slice of 32 output
/// channels: [slice][position][channel][16 panels of the slice].
int64_t sx_winograd_packed_floats(const sx_conv_shape *shape);
void sx_winograd_pack(const sx_conv_shape *shape, const float *weights, const float *bias, float *packed, int threads);

/// Convolutions of one input (see sx_conv_siblings), all by Winograd: the input is transformed once.
void sx_winograd_run(const sx_conv_part *parts, int count, const float *x, void *scratch, int threads);
int64_t sx_winograd_scratch_bytes(const sx_conv_part *parts, int count, int threads);

/// The scalar row's kernels; see sx_conv_kernels.
void sx_winograd_input_scalar(const float *input, int64_t row_stride, int64_t tiles, float *v, int64_t v_position);
void sx_winograd_product_scalar(const sx_winograd_product *product);
void sx_winograd_output_scalar(const sx_winograd_outputs *outputs);

#endif
