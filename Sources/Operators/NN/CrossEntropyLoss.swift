import CKernels
import Glibc
import GraphIR
import TensorCore

/// ONNX NegativeLogLikelihoodLoss (12, 13, 22) of log-probabilities `[N, C, d…]`, and SoftmaxCrossEntropyLoss (12, 13),
/// which takes the logarithm of the softmax of scores first and gives it as output 1; targets `[N, d…]`, weights `[C]`.
struct CrossEntropyLoss: Operator {
    static let elementTypes: [DType] = DType.floating
    private enum Reduction: String, CaseIterable, Sendable { case none, mean, sum }

    private let reduction: Reduction
    private let ignored: Int?
    private let takesScores: Bool
    private var extents: (outer: Int, classes: Int, inner: Int) = (0, 0, 0)
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        takesScores = node.node.opType == "SoftmaxCrossEntropyLoss"
        reduction = try node.choice("reduction", default: .mean)
        ignored = try node.int("ignore_index")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, DType.indices, "target")
        try context.requireRank(0, 2...64, "input")
        let dtype = try context.dtype(0)
        if context.hasInput(2) { try context.requireDType(2, [dtype], "weight") }
        let x = try context.shape(0)
        let target = x.map { [$0.dims[0]] + $0.dims[2...] }
        if let x, let target {
            try context.requireShape(1, target, "target")
            try context.requireShape(2, [x.dims[1]], "weight")
        }
        let loss = reduction == .none ? target.map { SymbolicShape($0) } : []
        return [Inferred(dtype, loss), Inferred(dtype, x)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        extents = (x.shape[0], x.shape[1], x.shape.dims.dropFirst(2).reduce(1, *))
        let writesLogarithms = context.outputs.count > 1 && context.outputs[1] != nil
        if takesScores, !writesLogarithms { scratchByteCount = x.shape.elementCount * x.dtype.byteSize }
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context) { x, y in
                for o in 0..<extents.outer {
                    for i in 0..<extents.inner { logSoftmax(x, y, o * extents.classes * extents.inner + i) }
                }
            }
        } else {
            try run(Float.self, context) { x, y in
                sx_softmax(
                    x, y, Int64(extents.outer), Int64(extents.classes), Int64(extents.inner), true,
                    Int32(context.threads))
            }
        }
    }

    private func logSoftmax(_ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ first: Int) {
        let places = stride(from: first, to: first + extents.classes * extents.inner, by: extents.inner)
        let shift = places.reduce(-Double.infinity) { max($0, x[$1]) }
        let sum = places.reduce(0.0) { $0 + exp(x[$1] - shift) }
        for i in places { y[i] = x[i] - shift - log(sum) }
    }

    private func run<T: Number & BinaryFloatingPoint>(
        _ type: T.Type, _ context: RunContext,
        logSoftmax: (UnsafeMutablePointer<T>, UnsafeMutablePointer<T>) -> Void
    ) throws(SardonyxError) {
        var x = try context.input(0).typed(T.self)
        if takesScores {
            guard let y = context.hasOutput(1) ? try context.output(1).pointer : context.scratch else {
                throw context.error(.internal, "no memory for log-probabilities")
            }
            logSoftmax(x, y.assumingMemoryBound(to: T.self))
            x = y.assumingMemoryBound(to: T.self)
        }
        let weights = context.hasInput(2) ? try context.input(2).typed(T.self) : nil
        let targets = try context.input(1)
        let loss = try context.output(0).typed(T.self)
        var (total, weight) = (0.0, 0.0)
        for element in 0..<targets.elementCount {
            let target =
                targets.dtype == .int64
                ? Int(targets.typed(Int64.self)[element]) : Int(targets.typed(Int32.self)[element])
            if target == ignored {
                if reduction == .none { loss[element] = 0 }
                continue
            }
            guard target >= 0, target < extents.classes else {
                throw context.error(
                    .value, "target: element \(element)", got: "\(target)",
                    allowed: "0 to \(extents.classes - 1)" + (ignored.map { " or \($0)" } ?? ""))
            }
            let (o, i) = (element / extents.inner, element % extents.inner)
            let factor = weights?[target] ?? 1
            let value = -x[(o * extents.classes + target) * extents.inner + i] * factor
            if reduction == .none { loss[element] = value }
            total += Double(value)
            weight += Double(factor)
        }
        switch reduction {
        case .none: break
        case .sum: loss[0] = T(total)
        case .mean: loss[0] = T(total / weight)
        }
    }
}
