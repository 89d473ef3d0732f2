import GraphIR
import TensorCore

/// com.microsoft Inverse: the inverse of each square matrix of x `[…, N, N]`, by elimination with row pivots in
/// float64.
struct Inverse: Operator {
    static let elementTypes: [DType] = DType.floating
    private var order = 0

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        if let dims = try context.shape(0)?.dims {
            try context.requireEqual(dims[dims.count - 1], dims[dims.count - 2], "rows and columns")
        }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        order = try context.input(0).shape.last ?? 0
        guard let bytes = CheckedSize.product(2, order, order, 8) else {
            throw context.error(.limit, "matrix", got: "\(order) rows", allowed: "less than 2^63 bytes", hint: nil)
        }
        scratchByteCount = bytes
    }

    private(set) var scratchByteCount = 0

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0, let scratch = context.scratch?.assumingMemoryBound(to: Double.self) else { return }
        let size = order * order
        let result = scratch + size
        for first in stride(from: 0, to: x.elementCount, by: size) {
            for i in 0..<size {
                scratch[i] = x.double(first + i)
                result[i] = i % (order + 1) == 0 ? 1 : 0
            }
            try eliminate(scratch, result, context)
            if y.dtype == .float64 {
                (y.typed(Double.self) + first).update(from: result, count: size)
            } else {
                for i in 0..<size { y.floats[first + i] = Float(result[i]) }
            }
        }
    }

    private func eliminate(
        _ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ context: RunContext
    ) throws(SardonyxError) {
        for column in 0..<order {
            try context.interruption?.check()
            var pivot = column
            for row in column..<order
            where a[row * order + column].magnitude > a[pivot * order + column].magnitude { pivot = row }
            let value = a[pivot * order + column]
            guard value != 0 else { throw context.error(.value, "matrix", got: "a singular one") }
            for i in 0..<order {
                for matrix in [a, b] {
                    let moved = matrix[pivot * order + i]
                    matrix[pivot * order + i] = matrix[column * order + i]
                    matrix[column * order + i] = moved / value
                }
            }
            for row in 0..<order where row != column {
                let factor = a[row * order + column]
                for i in 0..<order {
                    a[row * order + i] -= factor * a[column * order + i]
                    b[row * order + i] -= factor * b[column * order + i]
                }
            }
        }
    }
}
