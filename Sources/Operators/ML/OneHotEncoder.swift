import GraphIR
import TensorCore

/// ONNX OneHotEncoder (ai.onnx.ml 1): a new last axis with a one at the position of each element's category. Numbers are
/// truncated to integers first.
struct OneHotEncoder: Operator {
    static let elementTypes: [DType] = DType.tabular + [.string]
    private let categories: ElementIndex
    private let count: Int
    /// An element of no category has zeros only; otherwise it is an error.
    private let allowsUnknown: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        let lists = try (node.list("cats_int64s"), node.list("cats_strings"))
        guard (lists.0 == nil) != (lists.1 == nil), let list = lists.0 ?? lists.1 else {
            throw node.error(.value, "categories", allowed: "one of cats_int64s and cats_strings")
        }
        categories = try ElementIndex(list, at: node)
        count = list.shape.elementCount
        allowsUnknown = try node.bool("zeros", default: true)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(0, categories.dtype == .string ? [.string] : DType.tabular, "input")
        let shape = try context.shape(0).map { SymbolicShape($0.dims + [.known(count)]) }
        if let shape { _ = try context.product(shape.dims) }
        return [Inferred(.float32, shape)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let shape = try context.shape(of: input.shape.dims + [count])
        let output = try context.output(0, dtype: .float32, shape: shape)
        let (categories, count) = (categories, count)
        let areKnown = try context.allInParallel(input.elementCount, cost: CheckedSize.sum(count, 8) ?? .max) { range in
            let target = output.floats
            (target + range.lowerBound * count).update(repeating: 0, count: range.count * count)
            var areKnown = true
            categories.forEach(range, of: input) { element, position in
                if let position { target[element * count + position] = 1 } else { areKnown = false }
            }
            return areKnown
        }
        guard !areKnown, !allowsUnknown else { return }
        let first = (0..<input.elementCount).first { categories.position(of: $0, in: input) == nil } ?? 0
        throw context.error(.value, "element \(first) of the input is of no category", allowed: "zeros=1")
    }
}
