import GraphIR
import TensorCore

/// ONNX Flatten (1-25): a matrix of the axes before and from `axis`.
struct Flatten: ViewingOperator {
    private let axis: Int
    var parameterInput: Int? { nil }

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 1)
    }

    func outputRank(input: Int?, parameterCount: Int) -> Int? { 2 }

    func outputDims(_ input: [Dim], parameter: [Dim]?, at place: some NodePlace) throws(SardonyxError) -> [Dim]? {
        let split = axis == input.count ? axis : try place.axis(axis, rank: input.count)
        guard let outer = Dim.product(input[..<split]), let inner = Dim.product(input[split...]) else {
            throw place.error(
                .limit, "element count", got: "\(SymbolicShape(input))", allowed: "at most 2^48", hint: nil)
        }
        return [outer, inner]
    }
}
