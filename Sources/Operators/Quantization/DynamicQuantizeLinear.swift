import CKernels
import GraphIR
import TensorCore

/// ONNX DynamicQuantizeLinear (11): float32 x quantized to uint8 with the scale and zero point of its own range, which
/// zero is in. Outputs y, scale and zero point.
struct DynamicQuantizeLinear: Operator {
    static let elementTypes: [DType] = [.float32]
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(.uint8, try context.shape(0)), Inferred(.float32, []), Inferred(.uint8, [])]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        scratchByteCount = DynamicQuantizer.scratchByteCount(elements: try context.input(0).shape.elementCount)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard let scratch = context.scratch else { return }
        let x = try context.input(0)
        let y = context.hasOutput(0) ? try context.output(0).pointer : nil
        let quantizer = DynamicQuantizer(x.floats, count: x.elementCount, scratch, context)
        if let y { quantizer.quantize(to: y) }
        if context.hasOutput(1) { try context.output(1).floats[0] = quantizer.scale }
        if context.hasOutput(2) { try context.output(2).typed(UInt8.self)[0] = quantizer.zero }
    }
}

/// The uint8 scale and zero point of a float32 tensor's range with zero.
struct DynamicQuantizer {
    let scale: Float
    let zero: UInt8
    private let x: UnsafePointer<Float>
    private let count: Int
    private let threads: Int32
    private static let row = 4096

    static func scratchByteCount(elements: Int) -> Int { (elements / row + 1) * MemoryLayout<Float>.stride }

    /// - Parameter scratch: `scratchByteCount(elements: count)` bytes.
    init(_ x: UnsafePointer<Float>, count: Int, _ scratch: UnsafeMutableRawPointer, _ context: RunContext) {
        let partial = scratch.assumingMemoryBound(to: Float.self)
        let threads = Int32(context.threads)
        func extreme(_ op: sx_reduce_op, _ pick: (Float, Float) -> Float) -> Float {
            let rows = count / Self.row
            sx_reduce(op, x, partial, Int64(rows), Int64(Self.row), 1, threads)
            let rest = count - rows * Self.row
            if rest > 0 { sx_reduce(op, x + rows * Self.row, partial + rows, 1, Int64(rest), 1, threads) }
            return (0..<(rest > 0 ? rows + 1 : rows)).reduce(0) { pick($0, partial[$1]) }
        }
        let (most, least) = (extreme(SX_REDUCE_MAX, max), extreme(SX_REDUCE_MIN, min))
        scale = most == least ? 1 / 255 : (most - least) / 255
        let middle = max(0, min(255, -least / scale))
        zero = middle.isNaN ? 0 : UInt8(middle.rounded(.toNearestOrEven))
        (self.x, self.count, self.threads) = (x, count, threads)
    }

    /// Writes `count` uint8 elements.
    func quantize(to y: UnsafeMutableRawPointer) {
        guard count > 0 else { return }
        var map = sx_quant_map()
        (map.outer, map.extent, map.count, map.groups_per_parameter) = (1, Int64(count), Int64(Self.row), 1)
        map.groups = Int64((count + Self.row - 1) / Self.row)
        var (scale, zero) = (scale, Int32(zero))
        sx_quantize(&map, x, &scale, &zero, 0, 255, y, 1, threads)
    }
}
