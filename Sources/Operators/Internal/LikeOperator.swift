import GraphIR
import TensorCore

/// `sardonyx.OnesLike`, `ZerosLike`: a tensor of the type and shape of input 0; `sardonyx.SumLike`: input 0 summed over
/// the axes along which input 1 was broadcast to its shape. What derivatives are made of.
struct LikeOperator: Operator {
    static let elementTypes: [DType] = DType.floating
    private enum Kind: Sendable { case ones, zeros, sum }

    private let kind: Kind

    init(_ node: NodeReader) throws(SardonyxError) {
        switch node.node.opType {
        case "OnesLike": kind = .ones
        case "ZerosLike": kind = .zeros
        default: kind = .sum
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(try context.dtype(0), try context.shape(kind == .sum ? 1 : 0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let shape = kind == .sum ? try context.input(1).shape : x.shape
        let y = try context.output(0, dtype: x.dtype, shape: shape)
        guard kind == .sum else {
            let value = kind == .ones ? 1.0 : 0
            return try context.fill(y) { _ in value }
        }
        guard try Broadcast.shape([shape, x.shape], at: context) == x.shape else {
            throw context.error(.shape, "input 1", got: "\(shape)", allowed: "one that broadcasts to \(x.shape)")
        }
        if x.dtype == .float64 {
            add(x.typed(Double.self), x.shape, to: y.elements(Double.self), shape)
        } else {
            add(x.floats, x.shape, to: y.elements(Float.self), shape)
        }
    }

    private func add<T: Number>(
        _ x: UnsafeMutablePointer<T>, _ shape: Shape, to y: UnsafeMutableBufferPointer<T>, _ target: Shape
    ) {
        y.update(repeating: T.zero)
        let dims = shape.rank == 0 ? [1] : shape.dims
        let strides = (
            own: shape.rank == 0 ? [1] : shape.strides,
            sum: shape.rank == 0 ? [0] : Broadcast.strides(of: target, in: shape)
        )
        let (extent, own, sum) = (dims[dims.count - 1], strides.own[dims.count - 1], strides.sum[dims.count - 1])
        RowWalk(dims, strides.own, strides.sum).forEach { _, from, to in
            for i in 0..<extent { y[to + i * sum] = T.wrappingSum(y[to + i * sum], x[from + i * own]) }
        }
    }
}
