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
    /// Where the parts begin in the scratch memory.
    private var partsOffset = 0

    /// What the elements of a block add to the loss.
    private struct Part {
        var total = 0.0
        var weight = 0.0
    }
    /// How the elements are cut, whatever the number of threads.
    private static let block = 4096
    private var blocks: Int { (extents.outer * extents.inner + Self.block - 1) / Self.block }

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
        if takesScores, !writesLogarithms {
            partsOffset = CheckedSize.roundUp(x.shape.elementCount * x.dtype.byteSize, to: 64) ?? 0
        }
        scratchByteCount = partsOffset + max(blocks, 1) * MemoryLayout<Part>.stride
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
        guard let scratch = context.scratch else { throw context.error(.internal, "no memory for the parts") }
        let parts = (scratch + partsOffset).assumingMemoryBound(to: Part.self)
        let isInside =
            try context.input(1).dtype == .int64
            ? addUp(x, Int64.self, parts, context) : addUp(x, Int32.self, parts, context)
        guard isInside else { throw try outside(context) }
        let sum = (0..<blocks).reduce(into: Part()) { sum, block in
            sum.total += parts[block].total
            sum.weight += parts[block].weight
        }
        switch reduction {
        case .none: break
        case .sum: try context.output(0).typed(T.self)[0] = T(sum.total)
        case .mean: try context.output(0).typed(T.self)[0] = T(sum.total / sum.weight)
        }
    }

    /// The parts of all blocks, and without reduction the losses; whether all targets are classes or ignored.
    private func addUp<T: Number & BinaryFloatingPoint, I: NumericElement & FixedWidthInteger>(
        _ x: UnsafeMutablePointer<T>, _ index: I.Type, _ parts: UnsafeMutablePointer<Part>, _ context: RunContext
    ) throws(SardonyxError) -> Bool {
        nonisolated(unsafe) let (x, parts) = (x, parts)
        let (extents, ignored, writes) = (extents, ignored, reduction == .none)
        let weights = context.hasInput(2) ? try context.input(2) : nil
        let (targets, loss) = (try context.input(1), try context.output(0))
        return try context.allInParallel(blocks, cost: 4 * Self.block) { range in
            let (targets, loss, weights) = (targets.typed(I.self), loss.typed(T.self), weights?.typed(T.self))
            var isInside = true
            for block in range {
                var part = Part()
                let end = min((block + 1) * Self.block, extents.outer * extents.inner)
                var first = block * Self.block
                while first < end {
                    let (row, i) = first.quotientAndRemainder(dividingBy: extents.inner)
                    let count = min(end - first, extents.inner - i)
                    let scores = x + row * extents.classes * extents.inner + i
                    for index in 0..<count {
                        let target = Int(truncatingIfNeeded: targets[first + index])
                        if target == ignored {
                            if writes { loss[first + index] = 0 }
                        } else if target >= 0, target < extents.classes {
                            let factor = weights?[target] ?? 1
                            let value = -scores[target * extents.inner + index] * factor
                            if writes { loss[first + index] = value }
                            part.total += Double(value)
                            part.weight += Double(factor)
                        } else {
                            isInside = false
                        }
                    }
                    first += count
                }
                parts[block] = part
            }
            return isInside
        }
    }

    /// The error of the first target that is neither a class nor ignored.
    private func outside(_ context: RunContext) throws(SardonyxError) -> SardonyxError {
        let targets = try context.integers(1) ?? []
        let first = targets.firstIndex { $0 != ignored && !(0..<extents.classes).contains($0) } ?? 0
        return context.error(
            .value, "target: element \(first)", got: targets.isEmpty ? nil : "\(targets[first])",
            allowed: "0 to \(extents.classes - 1)" + (ignored.map { " or \($0)" } ?? ""))
    }
}
