import GraphIR
import TensorCore

/// Checks what a caller feeds against the model's signature and says everything that is wrong at once.
struct FeedCheck: Sendable {
    private let inputs: [Value]
    /// Why tensors cannot be told apart by text; `nil` where they can.
    private let ambiguity: SardonyxError?

    init(_ graph: Graph) {
        inputs = graph.inputs.map { graph[$0] }
        ambiguity = Self.ambiguity(inputs, "inputs") ?? Self.ambiguity(graph.outputs.map { graph[$0] }, "outputs")
    }

    /// Names are bytes, but Swift compares text by meaning: the composed and the decomposed form of é are equal.
    private static func ambiguity(_ values: [Value], _ what: String) -> SardonyxError? {
        var names: [String: Name] = [:]
        for value in values {
            guard let other = names.updateValue(value.name, forKey: value.name.string), other != value.name else {
                continue
            }
            return SardonyxError(
                .input, what, "two names are different bytes of the same text", got: "'\(value.name)'",
                hint: "Give and take tensors in order: Session.run(inOrder:)")
        }
        return nil
    }

    /// By name as bytes.
    /// - Throws: `input` when inputs or outputs cannot be told apart by text.
    func named<Fed>(_ fed: [String: Fed]) throws(SardonyxError) -> [Name: Fed] {
        if let ambiguity { throw ambiguity }
        // Text that equals an input's name is that name, in whichever form it was typed.
        let names = Dictionary(inputs.map { ($0.name.string, $0.name) }) { first, _ in first }
        return Dictionary(fed.map { (names[$0.key] ?? Name($0.key), $0.value) }) { first, _ in first }
    }

    /// The tensors in the order of the graph's inputs.
    /// - Throws: `input` with every missing, surplus or unfit tensor and the expected signature.
    func feeds(from tensors: [String: Tensor]) throws(SardonyxError) -> [Tensor] {
        try feeds(from: try named(tensors))
    }

    /// As above, by names as bytes.
    func feeds(from tensors: [Name: Tensor]) throws(SardonyxError) -> [Tensor] {
        try check(tensors.mapValues(\.shape.dims), types: tensors.mapValues(\.dtype))
        return inputs.compactMap { tensors[$0.name] }
    }

    /// The tensors as they are.
    /// - Throws: `input` for another count than that of the inputs, or with every unfit tensor.
    func feeds(inOrder tensors: [Tensor]) throws(SardonyxError) -> [Tensor] {
        guard tensors.count == inputs.count else {
            throw SardonyxError(
                .input, "inputs", "count of tensors", got: "\(tensors.count)", allowed: "\(inputs.count)",
                hint: signature)
        }
        return try feeds(from: Dictionary(zip(inputs.map(\.name), tensors)) { first, _ in first })
    }

    /// The shapes in the order of the graph's inputs.
    /// - Throws: as `feeds(from:)`.
    func shapes(from dims: [Name: [Int]]) throws(SardonyxError) -> [Shape] {
        try check(dims, types: [:])
        var shapes: [Shape] = []
        for input in inputs { if let extents = dims[input.name] { shapes.append(try Shape(extents)) } }
        return shapes
    }

    private func check(_ dims: [Name: [Int]], types: [Name: DType]) throws(SardonyxError) {
        var faults = inputs.filter { dims[$0.name] == nil }.map { "'\($0.name)' is missing" }
        let expected = Set(inputs.map(\.name))
        faults += dims.keys.filter { !expected.contains($0) }.map { "'\($0)' is not an input" }.sorted()
        var bindings: [Name: (extent: Int, input: Name)] = [:]
        for input in inputs {
            if let dtype = input.type?.dtype, let given = types[input.name], given != dtype {
                faults.append("'\(input.name)' is \(given), not \(dtype)")
            }
            if let extents = dims[input.name] { faults += extentFaults(input, extents, &bindings) }
        }
        guard !faults.isEmpty else { return }
        throw SardonyxError(.input, "inputs", faults.joined(separator: "; "), hint: signature)
    }

    private func extentFaults(
        _ input: Value, _ dims: [Int], _ bindings: inout [Name: (extent: Int, input: Name)]
    ) -> [String] {
        guard let declared = input.type?.shape else { return [] }
        guard declared.rank == dims.count else {
            return ["'\(input.name)' has rank \(dims.count), not \(declared.rank)"]
        }
        var faults: [String] = []
        for (axis, (dim, extent)) in zip(declared.dims, dims).enumerated() {
            switch dim {
            case .known(let value) where value != extent:
                faults.append("'\(input.name)' axis \(axis) is \(extent), not \(value)")
            case .symbol(let name):
                if let bound = bindings[Name(name)], bound.extent != extent {
                    faults.append(
                        "'\(name)' is \(bound.extent) in '\(bound.input)' and \(extent) in '\(input.name)' axis \(axis)"
                    )
                } else {
                    bindings[Name(name)] = (extent, input.name)
                }
            default: break
            }
        }
        return faults
    }

    private var signature: String {
        "The model takes " + inputs.map { Signature($0).description }.joined(separator: ", ")
    }
}
