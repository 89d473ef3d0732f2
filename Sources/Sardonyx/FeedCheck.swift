import GraphIR
import TensorCore

/// Checks what a caller feeds against the model's signature and says everything that is wrong at once.
struct FeedCheck: Sendable {
    private let inputs: [Value]

    init(_ graph: Graph) { self.inputs = graph.inputs.map { graph[$0] } }

    /// The tensors in the order of the graph's inputs.
    /// - Throws: `input` with every missing, surplus or unfit tensor and the expected signature.
    func feeds(from tensors: [String: Tensor]) throws(SardonyxError) -> [Tensor] {
        var faults = nameFaults(Set(tensors.keys))
        var bindings: [String: (extent: Int, input: String)] = [:]
        var feeds: [Tensor] = []
        for input in inputs {
            guard let tensor = tensors[input.name.string] else { continue }
            feeds.append(tensor)
            if let dtype = input.type?.dtype, dtype != tensor.dtype {
                faults.append("'\(input.name)' is \(tensor.dtype), not \(dtype)")
            }
            faults += extentFaults(input, tensor.shape.dims, &bindings)
        }
        try report(faults)
        return feeds
    }

    /// The shapes in the order of the graph's inputs.
    /// - Throws: as `feeds(from:)`.
    func shapes(from dims: [String: [Int]]) throws(SardonyxError) -> [Shape] {
        var faults = nameFaults(Set(dims.keys))
        var bindings: [String: (extent: Int, input: String)] = [:]
        var shapes: [Shape] = []
        for input in inputs {
            guard let extents = dims[input.name.string] else { continue }
            shapes.append(try Shape(extents))
            faults += extentFaults(input, extents, &bindings)
        }
        try report(faults)
        return shapes
    }

    private func nameFaults(_ given: Set<String>) -> [String] {
        let expected = Set(inputs.map(\.name.string))
        let missing = inputs.map(\.name.string).filter { !given.contains($0) }.map { "'\($0)' is missing" }
        return missing + given.subtracting(expected).sorted().map { "'\(Name($0))' is not an input" }
    }

    private func extentFaults(
        _ input: Value, _ dims: [Int], _ bindings: inout [String: (extent: Int, input: String)]
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
                if let bound = bindings[name], bound.extent != extent {
                    faults.append(
                        "'\(name)' is \(bound.extent) in '\(bound.input)' and \(extent) in '\(input.name)' axis \(axis)"
                    )
                } else {
                    bindings[name] = (extent, input.name.description)
                }
            default: break
            }
        }
        return faults
    }

    private func report(_ faults: [String]) throws(SardonyxError) {
        guard !faults.isEmpty else { return }
        throw SardonyxError(
            .input, "inputs", faults.joined(separator: "; "),
            hint: "The model takes " + inputs.map { Signature($0).description }.joined(separator: ", "))
    }
}
