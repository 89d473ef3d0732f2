import GraphIR
import TensorCore

/// ONNX LpNormalization (1, 22): x divided by its L1 or L2 norm along `axis`; 0 where the norm is 0.
struct LpNormalization: FloatingOperator {
    static let elementTypes: [DType] = DType.floating
    private let axis: Int
    private let order: Int
    private var extents: (outer: Int, axis: Int, inner: Int) = (0, 0, 0)

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: -1)
        order = try node.int("p", default: 2)
        guard order == 1 || order == 2 else {
            throw node.error(.unsupported, "attribute p", got: "\(order)", allowed: "1, 2")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if let x = try context.shape(0) { _ = try context.axis(axis, rank: x.rank) }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let shape = try context.input(0).shape
        let axis = try context.axis(axis, rank: shape.rank)
        extents = (shape.dims[..<axis].reduce(1, *), shape[axis], shape.dims[(axis + 1)...].reduce(1, *))
    }

    func apply<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ context: RunContext
    ) throws(SardonyxError) {
        nonisolated(unsafe) let (x, y) = (x, y)
        let (extents, order) = (extents, order)
        let (axis, inner) = (extents.axis, extents.inner)
        try context.inParallel(extents.outer * inner, cost: 8 * axis) { rows in
            for row in rows {
                let first = row / inner * axis * inner + row % inner
                var sum = 0.0
                for j in 0..<axis {
                    let value = Double(x[first + j * inner])
                    sum += order == 1 ? value.magnitude : value * value
                }
                let norm = order == 1 ? sum : sum.squareRoot()
                for j in 0..<axis { y[first + j * inner] = norm == 0 ? 0 : T(Double(x[first + j * inner]) / norm) }
            }
        }
    }
}
