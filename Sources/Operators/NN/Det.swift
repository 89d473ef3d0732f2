import GraphIR
import TensorCore

/// ONNX Det (11, 22): the determinants of square matrices `[…, M, M]`, by elimination with partial pivoting.
struct Det: Operator {
    static let elementTypes: [DType] = DType.floating
    private var size = 0
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        let x = try context.shape(0)
        if let dims = x?.dims.suffix(2), let rows = dims.first?.value, let columns = dims.last?.value, rows != columns {
            throw context.error(.shape, "input", got: "\([rows, columns])", allowed: "square matrices")
        }
        return [Inferred(try context.dtype(0), x.map { SymbolicShape(Array($0.dims.dropLast(2))) })]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let shape = try context.input(0).shape
        size = shape[shape.rank - 1]
        guard let bytes = CheckedSize.product(size, size, 8) else {
            throw context.error(.limit, "matrix", got: "\(shape)", allowed: "at most 2^48 elements")
        }
        scratchByteCount = bytes
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard let scratch = context.scratch else { throw context.error(.internal, "no memory for a matrix") }
        let matrix = scratch.assumingMemoryBound(to: Double.self)
        for index in 0..<y.elementCount {
            let count = size * size
            if y.dtype == .float64 {
                matrix.update(from: x.typed(Double.self) + index * count, count: count)
            } else {
                let from = x.floats + index * count
                for i in 0..<count { matrix[i] = Double(from[i]) }
            }
            let determinant = try eliminated(matrix, size, context)
            if y.dtype == .float64 {
                y.typed(Double.self)[index] = determinant
            } else {
                y.floats[index] = Float(determinant)
            }
        }
    }

    private func eliminated(
        _ a: UnsafeMutablePointer<Double>, _ size: Int, _ context: RunContext
    ) throws(SardonyxError) -> Double {
        var determinant = 1.0
        for column in 0..<size {
            try context.interruption?.check()
            var pivot = column
            for row in column..<size where a[row * size + column].magnitude > a[pivot * size + column].magnitude {
                pivot = row
            }
            let pivotRow = a + column * size
            if pivot != column {
                for j in column..<size {
                    (a[pivot * size + j], pivotRow[j]) = (pivotRow[j], a[pivot * size + j])
                }
            }
            let value = pivotRow[column]
            if value == 0 { return 0 }
            determinant *= pivot == column ? value : -value
            for row in (column + 1)..<max(size, column + 1) {
                let target = a + row * size
                let factor = target[column] / value
                for j in (column + 1)..<size { target[j] -= factor * pivotRow[j] }
            }
        }
        return determinant
    }
}
