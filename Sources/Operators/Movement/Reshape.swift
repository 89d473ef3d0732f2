import GraphIR
import TensorCore

/// ONNX Reshape (1-25): 0 copies an extent unless `allowzero`, one -1 is inferred.
struct Reshape: ViewingOperator {
    private let attribute: [Int]?
    private let allowZero: Bool
    var parameterInput: Int? { attribute == nil ? 1 : nil }

    init(_ node: NodeReader) throws(SardonyxError) {
        attribute = node.opset < 5 ? try node.required("shape", try node.ints("shape")) : nil
        allowZero = try node.bool("allowzero", default: false)
        guard attribute != nil || node.hasInput(1) else { throw node.error(.graph, "input 1 (shape) is missing") }
    }

    func outputRank(input: Int?, parameterCount: Int) -> Int? { parameterCount }

    func outputDims(_ input: [Dim], parameter: [Dim]?, at place: some NodePlace) throws(SardonyxError) -> [Dim]? {
        let target = attribute?.map(Dim.known) ?? parameter ?? []
        func fault(_ what: String) -> SardonyxError {
            place.error(
                .shape, what, got: "target \(SymbolicShape(target))",
                allowed: "\(Dim.product(input).map(\.description) ?? "too many") elements of \(SymbolicShape(input))",
                hint: nil)
        }
        var output = target
        var open: Int?
        for (axis, dim) in target.enumerated() {
            switch dim {
            case .known(0) where !allowZero:
                guard axis < input.count else {
                    throw fault("0 on axis \(axis) copies an axis that the input does not have")
                }
                output[axis] = input[axis]
            case .known(-1):
                guard open == nil else { throw fault("more than one -1") }
                open = axis
            case .known(let value) where value < -1: throw fault("negative extent on axis \(axis)")
            default: break
            }
        }
        if let open {
            output.remove(at: open)
            guard let rest = Self.quotient(input, by: output) else { throw fault("the element count is not divisible") }
            output.insert(rest, at: open)
        } else if let from = Dim.product(input)?.value, let to = Dim.product(output)?.value, from != to {
            throw fault("element count")
        } else if Dim.product(output) == nil {
            throw fault("element count")
        }
        return output
    }

    /// The extent that makes the products equal: extents on both sides cancel. `nil` when there is none.
    private static func quotient(_ input: [Dim], by output: [Dim]) -> Dim? {
        var numerator = input
        var denominator: [Dim] = []
        for dim in output {
            if dim != .unknown, let match = numerator.firstIndex(of: dim) {
                numerator.remove(at: match)
            } else {
                denominator.append(dim)
            }
        }
        guard let total = Dim.product(numerator), let part = Dim.product(denominator) else { return nil }
        if part == .known(1) { return total }
        guard let total = total.value, let part = part.value else { return .unknown }
        if part == 0 { return total == 0 && numerator.count == input.count ? .known(0) : nil }
        return total.isMultiple(of: part) ? .known(total / part) : nil
    }
}
