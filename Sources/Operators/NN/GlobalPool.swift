import CKernels
import Glibc
import GraphIR
import TensorCore

/// ONNX GlobalAveragePool, GlobalMaxPool (1, 22) and GlobalLpPool (1, 2, 22): x `[N, C, d…]` to y `[N, C, 1…]`.
struct GlobalPool: Operator {
    static let elementTypes: [DType] = DType.floating
    private let reduction: Reduction
    /// An order of GlobalLpPool that is no reduction of its own.
    private let order: Double?
    private var extents: (outer: Int, axis: Int, inner: Int) = (0, 0, 0)

    init(_ node: NodeReader) throws(SardonyxError) {
        switch node.node.opType {
        case "GlobalAveragePool": (reduction, order) = (.mean, nil)
        case "GlobalMaxPool": (reduction, order) = (.maximum, nil)
        default:
            let p = try Pool.order(node)
            reduction = p == 1 ? .l1 : .l2
            order = p == 1 || p == 2 ? nil : p
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        let x = try context.shape(0)
        let dims = x.map { SymbolicShape($0.dims[..<2] + [Dim](repeating: .known(1), count: $0.rank - 2)) }
        return [Inferred(try context.dtype(0), dims)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        let planes = try context.output(0).shape.elementCount
        guard planes > 0 else { return }
        let pixels = x.shape.elementCount / planes
        guard pixels > 0 else {
            throw context.error(.shape, "input", got: "\(x.shape)", allowed: "at least one element on the spatial axes")
        }
        let stored = try context.output(0).layout.storedElementCount(context.output(0).shape)
        let lanes = x.layout == .blocked16 ? Layout.blockSize : 1
        extents = (stored / lanes, pixels, lanes)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        let (outer, axis, inner) = extents
        if x.dtype == .float64 {
            if let order { return norm(x.typed(Double.self), y.typed(Double.self), order) }
            reduction(
                x.typed(Double.self), y.typed(Double.self), axis: axis, inner: inner, elements: 0..<outer * inner)
        } else {
            if let order { return norm(x.floats, y.floats, order) }
            sx_reduce(
                reduction.kernel, x.floats, y.floats, Int64(outer), Int64(axis), Int64(inner), Int32(context.threads))
        }
    }

    private func norm<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ p: Double
    ) {
        for o in 0..<extents.outer {
            var sum = 0.0
            for i in 0..<extents.axis { sum += pow(x[o * extents.axis + i].asDouble.magnitude, p) }
            y[o] = T(pow(sum, 1 / p))
        }
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4, order == nil else { return nil }
        return LayoutChoice(inputs: [x.layout], outputs: [x.layout])
    }
}
