import GraphIR
import TensorCore

/// ONNX Squeeze (1-25): drops axes of extent 1, all of them when none is named.
struct Squeeze: ViewingOperator {
    private let attribute: [Int]?
    private let usesInput: Bool
    var parameterInput: Int? { usesInput ? 1 : nil }

    init(_ node: NodeReader) throws(SardonyxError) {
        attribute = node.opset < 13 ? try node.ints("axes") : nil
        usesInput = node.opset >= 13 && node.hasInput(1)
    }

    func outputRank(input: Int?, parameterCount: Int) -> Int? {
        input.flatMap { $0 >= parameterCount ? $0 - parameterCount : nil }
    }

    func outputDims(_ input: [Dim], parameter: [Dim]?, at place: some NodePlace) throws(SardonyxError) -> [Dim]? {
        guard let named = attribute ?? parameter.map({ $0.compactMap(\.value) }) else {
            // An extent that is not known may be 1.
            return input.contains { $0.value == nil } ? nil : input.filter { $0 != .known(1) }
        }
        let dropped = try place.axes(named, rank: input.count)
        if let axis = dropped.first(where: { input[$0].value != nil && input[$0] != .known(1) }) {
            throw place.error(
                .shape, "axes: extent of axis \(axis)", got: "\(SymbolicShape(input))", allowed: "1", hint: nil)
        }
        return input.indices.filter { !dropped.contains($0) }.map { input[$0] }
    }
}

/// ONNX Unsqueeze (1-25): inserts axes of extent 1 at positions of the output.
struct Unsqueeze: ViewingOperator {
    private let attribute: [Int]?
    var parameterInput: Int? { attribute == nil ? 1 : nil }

    init(_ node: NodeReader) throws(SardonyxError) {
        attribute = node.opset < 13 ? try node.required("axes", try node.ints("axes")) : nil
        guard attribute != nil || node.hasInput(1) else { throw node.error(.graph, "input 1 (axes) is missing") }
    }

    func outputRank(input: Int?, parameterCount: Int) -> Int? { input.map { $0 + parameterCount } }

    func outputDims(_ input: [Dim], parameter: [Dim]?, at place: some NodePlace) throws(SardonyxError) -> [Dim]? {
        let named = attribute ?? parameter?.compactMap(\.value) ?? []
        let rank = input.count + named.count
        let inserted = try place.axes(named, rank: rank)
        var rest = input.makeIterator()
        return (0..<rank).map { axis in inserted.contains(axis) ? .known(1) : rest.next() ?? .known(1) }
    }
}
