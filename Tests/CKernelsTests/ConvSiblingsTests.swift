import CKernels
import TestSupport
import Testing

/// Convolutions of one input computed together give the bits that each gives alone.
@Suite struct ConvSiblingsTests {
    /// A convolution with weights of its own, and memory for its output.
    private final class Member {
        let part: sx_conv_part
        private let packed: UnsafeMutableRawPointer
        private let output: UnsafeMutableBufferPointer<Float>

        init(_ shape: sx_conv_shape, _ algorithm: sx_conv_algorithm, _ activation: sx_unary_op, seed: UInt64) {
            var shape = shape
            var random = SeededRandom(seed)
            let weights = random.floats(Int(shape.k * shape.c * shape.kh * shape.kw))
            let bias = random.floats(Int(shape.k))
            packed = .allocate(byteCount: Int(sx_conv_packed_bytes(&shape, algorithm)), alignment: 64)
            sx_conv_pack(&shape, algorithm, weights, bias, packed, 2)
            output = .allocate(capacity: Int((shape.k + 15) / 16 * 16 * shape.oh * shape.ow))
            output.initialize(repeating: -7)
            part = sx_conv_part(
                shape: shape, algorithm: algorithm, packed: packed,
                epilogue: sx_conv_epilogue(residual: nil, activation: sx_activation(op: activation, a: 0, b: 0)),
                y: output.baseAddress)
        }

        deinit {
            packed.deallocate()
            output.deallocate()
        }

        /// The output memory, which is reset.
        func takeOutput() -> [Float] {
            defer { output.update(repeating: -7) }
            return Array(output)
        }
    }

    private static func withScratch(_ byteCount: Int64, _ body: (UnsafeMutableRawPointer) -> Void) {
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: Int(byteCount) + 64, alignment: 64)
        defer { scratch.deallocate() }
        body(scratch)
    }

    /// Small and larger maps, one block of tiles and several; layouts, tails and algorithms mixed.
    @Test(arguments: [(48, 21, 19), (64, 50, 47), (256, 9, 9)] as [(Int64, Int64, Int64)])
    func theBitsAreThoseOfEachAlone(_ c: Int64, _ h: Int64, _ w: Int64) {
        func shape(_ k: Int64, _ layout: sx_layout) -> sx_conv_shape {
            sx_conv_shape(c: c, h, w, k: k, kernel: 3, pad: 1, to: layout)
        }
        let members = [
            Member(shape(12, SX_LAYOUT_NHWC), SX_CONV_WINOGRAD, SX_UNARY_IDENTITY, seed: 1),
            Member(shape(33, SX_LAYOUT_NHWC), SX_CONV_DIRECT, SX_UNARY_RELU, seed: 2),
            Member(shape(243, SX_LAYOUT_NHWC), SX_CONV_WINOGRAD, SX_UNARY_TANH, seed: 3),
            Member(shape(70, SX_LAYOUT_BLOCKED16), SX_CONV_WINOGRAD, SX_UNARY_RELU, seed: 4),
        ]
        let parts = members.map(\.part)
        var random = SeededRandom(9)
        let x = random.floats(Int((c + 15) / 16 * 16 * h * w))
        atEveryIsaLevel { level in
            var alone: [[Float]] = []
            for (member, part) in zip(members, parts) {
                var (shape, epilogue) = (part.shape, part.epilogue)
                Self.withScratch(sx_conv_scratch_bytes(&shape, part.algorithm, 2)) {
                    sx_conv(&shape, part.algorithm, x, part.packed, &epilogue, part.y, $0, 2)
                }
                alone.append(member.takeOutput())
            }
            for count in 1...parts.count {
                for threads in [1, 3] as [Int32] {
                    Self.withScratch(sx_conv_siblings_scratch_bytes(parts, Int32(count), threads)) {
                        sx_conv_siblings(parts, Int32(count), x, $0, threads)
                    }
                    for index in 0..<count {
                        #expect(members[index].takeOutput() == alone[index], "level \(level.rawValue), part \(index)")
                    }
                }
            }
        }
    }
}
