import CKernels
import Testing

/// Multiply-accumulates that the algorithms execute, counted by hand.
@Suite struct ConvCostTests {
    private func shape(output: Int64) -> sx_conv_shape {
        var shape = sx_conv_shape()
        (shape.n, shape.c, shape.k, shape.groups) = (2, 32, 48, 1)
        (shape.kh, shape.kw) = (3, 3)
        (shape.h, shape.w, shape.oh, shape.ow) = (output, output, output, output)
        (shape.stride_h, shape.stride_w, shape.dilation_h, shape.dilation_w) = (1, 1, 1, 1)
        return shape
    }

    @Test func directCountsEveryTap() {
        var shape = shape(output: 10)
        #expect(sx_conv_executed_macs(&shape, SX_CONV_DIRECT) == 2 * 10 * 10 * 9 * 32 * 48)
        shape.groups = 4
        #expect(sx_conv_executed_macs(&shape, SX_CONV_DIRECT) == 2 * 10 * 10 * 9 * 8 * 48)
    }

    /// 36 products for a tile of 4x4 outputs, whole or cut by the border.
    @Test func winogradCountsTiles() {
        var whole = shape(output: 8)
        #expect(sx_conv_executed_macs(&whole, SX_CONV_WINOGRAD) * 4 == sx_conv_executed_macs(&whole, SX_CONV_DIRECT))
        var cut = shape(output: 10)
        #expect(sx_conv_executed_macs(&cut, SX_CONV_WINOGRAD) == 2 * 3 * 3 * 36 * 32 * 48)
    }

    @Test func overflowSaturates() {
        var shape = shape(output: 10)
        (shape.n, shape.c, shape.k) = (1 << 30, 1 << 30, 1 << 30)
        for algorithm in [SX_CONV_DIRECT, SX_CONV_WINOGRAD] {
            #expect(sx_conv_executed_macs(&shape, algorithm) == .max)
        }
    }
}
