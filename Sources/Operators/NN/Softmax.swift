import CKernels
import Glibc
import GraphIR
import TensorCore

/// ONNX Softmax, LogSoftmax and Hardmax (1, 11, 13): along one axis from opset 13, before that over all axes from
/// `axis` on.
struct Softmax: Operator {
    static let elementTypes: [DType] = DType.floating
    enum Kind: Sendable { case softmax, logSoftmax, hardmax }

    private let kind: Kind
    private let axis: Int
    private let flattens: Bool
    private var extents: (outer: Int, axis: Int, inner: Int) = (0, 0, 0)
    /// Of float16 and bfloat16, after each operator of the function's body (ONNX 13).
    private var rounding: HalfRounding?

    init(_ node: NodeReader) throws(SardonyxError) {
        switch node.node.opType {
        case "LogSoftmax": kind = .logSoftmax
        case "Hardmax": kind = .hardmax
        default: kind = .softmax
        }
        flattens = node.opset < 13
        axis = try node.int("axis", default: flattens ? 1 : -1)
    }

    /// The axis from the front. The flattened form also takes the rank itself (a row of one element).
    private func axis(rank: Int, at place: some NodePlace) throws(SardonyxError) -> Int {
        if rank == 0 || (flattens && axis == rank) { return rank }
        return try place.axis(axis, rank: rank)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        if let x = try context.shape(0) { _ = try axis(rank: x.rank, at: context) }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let dims = try context.input(0).shape.dims
        let axis = try axis(rank: dims.count, at: context)
        let past = flattens || axis == dims.count ? dims.count : axis + 1
        func extent(_ range: Range<Int>) -> Int { dims[range].reduce(1, *) }
        rounding = HalfRounding(context.widenedFrom)
        extents = (extent(0..<axis), extent(axis..<past), extent(past..<dims.count))
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0 else { return }
        switch (kind, x.dtype) {
        case (.hardmax, .float64): eachRow { hardmax(x.typed(Double.self), y.typed(Double.self), $0) }
        case (.hardmax, _) where extents.inner == 1:
            let (from, to) = (x.floats, y.floats)
            to.update(repeating: 0, count: x.elementCount)
            eachRow { first in
                var index: Int64 = 0
                sx_arg_extreme(from + first, &index, 1, Int64(extents.axis), true, 1)
                to[first + Int(index)] = 1
            }
        case (.hardmax, _): eachRow { hardmax(x.floats, y.floats, $0) }
        case (_, .float64): eachRow { softmax(x.typed(Double.self), y.typed(Double.self), $0) }
        default:
            if let rounding { return try roundedSoftmax(rounding, context) }
            sx_softmax(
                x.floats, y.floats, Int64(extents.outer), Int64(extents.axis), Int64(extents.inner),
                kind == .logSoftmax,
                Int32(context.threads))
        }
    }

    private func roundedSoftmax(_ rounding: HalfRounding, _ context: RunContext) throws(SardonyxError) {
        let (x, y, extents) = (try context.input(0), try context.output(0), extents)
        let isLogarithmic = kind == .logSoftmax
        try context.inParallel(extents.outer * extents.inner, cost: 16 * extents.axis) { rows in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: max(extents.axis, 1)) { line in
                guard let line = line.baseAddress else { return }
                for row in rows {
                    let first = row / extents.inner * extents.axis * extents.inner + row % extents.inner
                    for i in 0..<extents.axis { line[i] = x.floats[first + i * extents.inner] }
                    rounding.softmax(line, extents.axis, isLogarithmic: isLogarithmic)
                    for i in 0..<extents.axis { y.floats[first + i * extents.inner] = line[i] }
                }
            }
        }
    }

    /// Calls `body` with the offset of each row's first element; elements follow at `inner`.
    private func eachRow(_ body: (Int) -> Void) {
        for o in 0..<extents.outer {
            for i in 0..<extents.inner { body(o * extents.axis * extents.inner + i) }
        }
    }

    private func largest<T: Number>(_ x: UnsafeMutablePointer<T>, _ first: Int) -> (index: Int, value: T) {
        var best = (index: 0, value: x[first])
        for j in 1..<max(extents.axis, 1) {
            let value = x[first + j * extents.inner]
            if value > best.value || (value.isNaN && !best.value.isNaN) { best = (j, value) }
        }
        return best
    }

    private func hardmax<T: Number>(_ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ first: Int) {
        let index = largest(x, first).index
        for j in 0..<extents.axis { y[first + j * extents.inner] = j == index ? T.one : T.zero }
    }

    private func softmax(_ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ first: Int) {
        let shift = largest(x, first).value
        var sum = 0.0
        for j in 0..<extents.axis { sum += exp(x[first + j * extents.inner] - shift) }
        for j in 0..<extents.axis {
            let i = first + j * extents.inner
            y[i] = kind == .logSoftmax ? x[i] - shift - log(sum) : exp(x[i] - shift) / sum
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && kind != .hardmax && inputs.first == outputs.first
    }
}
