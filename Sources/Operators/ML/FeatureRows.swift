import CKernels
import GraphIR
import TensorCore

/// The rows of an input `[N, F]`, or the one row of an input `[F]`, as float64.
struct FeatureRows: Sendable {
    let count: Int
    let features: Int
    private let values: TensorView
    private let type: sx_type

    init(_ context: RunContext, input index: Int = 0) throws(SardonyxError) {
        values = try context.input(index)
        guard 1...2 ~= values.shape.rank, let type = values.dtype.kernelType else {
            throw context.error(
                .shape, "input", got: "\(values.dtype)\(values.shape)", allowed: "numbers [N, F] or [F]")
        }
        self.type = type
        count = values.shape.rank == 2 ? values.shape[0] : 1
        features = values.shape[values.shape.rank - 1]
    }

    /// How many rows are converted at once.
    fileprivate var block: Int { max(1, 1024 / max(features, 1)) }

    /// The first of some neighbouring rows, which `memory` has room for.
    fileprivate func rows(_ rows: Range<Int>, in memory: UnsafeMutablePointer<Double>) -> UnsafePointer<Double> {
        let first = rows.lowerBound * features
        if values.dtype == .float64 { return UnsafePointer(values.typed(Double.self) + first) }
        if values.dtype == .float32 {
            let source = values.typed(Float.self) + first
            for index in 0..<rows.count * features { memory[index] = Double(source[index]) }
        } else {
            let source = values.pointer + first * values.dtype.byteSize
            sx_cast(type, SX_TYPE_FLOAT64, source, memory, Int64(rows.count * features), 1)
        }
        return UnsafePointer(memory)
    }
}

extension InferContext {
    /// Rows and features of input 0, `[N, F]` or `[F]`.
    func featureRows() throws(SardonyxError) -> (rows: Dim, features: Dim) {
        try requireRank(0, 1...2, "input")
        guard let dims = try shape(0)?.dims else { return (.unknown, .unknown) }
        return dims.count == 2 ? (dims[0], dims[1]) : (.known(1), dims[0])
    }

    /// - Throws: `shape` when the number of features is known and is another one.
    func require(features: Dim, _ wanted: Int) throws(SardonyxError) {
        guard let given = features.value, given != wanted else { return }
        throw error(.shape, "features of the input", got: "\(given)", allowed: "\(wanted) as the coefficients say")
    }
}

extension DType {
    /// What most operators of ai.onnx.ml take.
    static let tabular: [DType] = [.float32, .float64, .int32, .int64]
}

extension RunContext {
    /// Computes scores row by row, on the node's threads, and writes them to the rows of a `[N, width]` tensor.
    /// - Parameters:
    ///   - width: how many scores a row has; they are zero at first.
    ///   - cost: about how many operations a row takes.
    func forEachRow(
        of rows: FeatureRows, into output: TensorView, width: Int, cost: Int,
        _ body: @Sendable (Int, UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<Double>) -> Void
    ) throws(SardonyxError) {
        try forEachBlock(of: rows, into: output, width: width, cost: cost) { block, values, scores in
            for (offset, index) in block.enumerated() {
                body(
                    index, UnsafeBufferPointer(start: values + offset * rows.features, count: rows.features),
                    UnsafeMutableBufferPointer(start: scores + offset * width, count: width))
            }
        }
    }

    /// The same, for bodies that take several neighbouring rows at once: their features and their scores.
    func forEachBlock(
        of rows: FeatureRows, into output: TensorView, width: Int, cost: Int,
        _ body: @Sendable (Range<Int>, UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
    ) throws(SardonyxError) {
        let room = CheckedSize.sum(rows.features, width).flatMap { CheckedSize.product(rows.block, $0) } ?? .max
        try budget.check(CheckedSize.product(room, 8, max(threads, 1)) ?? .max, for: label)
        try inParallel(rows.count, cost: CheckedSize.sum(cost, width) ?? .max) { range in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: max(room, 1)) { memory in
                guard let scores = memory.baseAddress else { return }
                for first in stride(from: range.lowerBound, to: range.upperBound, by: rows.block) {
                    let block = first..<min(first + rows.block, range.upperBound)
                    let values = rows.rows(block, in: scores + rows.block * width)
                    scores.update(repeating: 0, count: block.count * width)
                    body(block, values, scores)
                    output.store(scores, at: first * width, count: block.count * width)
                }
            }
        }
    }
}

extension TensorView {
    /// Writes neighbouring elements of a tensor of floats, rounded to its type.
    fileprivate func store(_ values: UnsafeMutablePointer<Double>, at first: Int, count: Int) {
        guard let type = dtype.kernelType else { return }
        sx_cast(SX_TYPE_FLOAT64, type, values, pointer + first * dtype.byteSize, Int64(count), 1)
    }
}

extension NodeReader {
    /// Numbers given as a list of floats, or as a tensor of floats under the name with `_as_tensor`.
    func reals(_ name: String) throws(SardonyxError) -> [Double]? {
        guard let list = try floats(name) else { return try numbers(name + "_as_tensor") }
        return list.map(Double.init)
    }

    /// The elements of a tensor attribute of numbers.
    func numbers(_ name: String) throws(SardonyxError) -> [Double]? {
        guard let tensor = try tensor(name)?.tensor() else { return nil }
        guard let type = tensor.dtype.kernelType else {
            throw error(.unsupported, "attribute \(name): element type", got: "\(tensor.dtype)", allowed: "a number")
        }
        let count = tensor.shape.elementCount
        return [Double](unsafeUninitializedCapacity: count) { values, initialized in
            sx_cast(type, SX_TYPE_FLOAT64, tensor.pointer, values.baseAddress, Int64(count), 1)
            initialized = count
        }
    }

    /// - Throws: `value` when the list does not have as many elements as it should.
    func require(_ name: String, count: Int, _ wanted: Int) throws(SardonyxError) {
        guard count != wanted else { return }
        throw error(.value, "attribute \(name)", got: "\(count) elements", allowed: "\(wanted)")
    }
}
