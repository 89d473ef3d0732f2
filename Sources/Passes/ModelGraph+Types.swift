import GraphIR
import Operators
import TensorCore

extension ModelGraph {
    /// Fixes the shapes of inputs. Extents that have a name are then known wherever the model uses it; if an extent that
    /// the model says is changed, what it says of other shapes is forgotten.
    /// - Throws: `usage` for an unknown input, an input that is no tensor, another rank, or two extents of one name.
    package mutating func bind(_ shapes: [(name: Name, dims: [Int])]) throws(SardonyxError) {
        var extents: [String: Int] = [:]
        var isChanged = false
        for (name, dims) in shapes {
            guard let id = graph.inputs.first(where: { graph[$0].name == name }) else {
                throw SardonyxError(
                    .usage, "--shape", "no such input", got: "'\(name)'",
                    allowed: graph.inputs.map { graph[$0].name.description }.joined(separator: ", "))
            }
            guard case .tensor(let dtype, let declared)? = graph[id].type, declared?.rank ?? dims.count == dims.count
            else {
                throw SardonyxError(
                    .usage, "--shape", "does not fit the input '\(name)'", got: "\(dims)",
                    allowed: graph[id].type?.description)
            }
            for (dim, extent) in zip(declared?.dims ?? [], dims) {
                if case .symbol(let symbol) = dim, let other = extents.updateValue(extent, forKey: symbol),
                    other != extent
                {
                    throw SardonyxError(
                        .usage, "--shape", "two extents of '\(Name(symbol))'", got: "\(other) and \(extent)")
                }
                if let value = dim.value, value != extent { isChanged = true }
            }
            graph[id].type = .tensor(dtype, SymbolicShape(try Shape(dims)))
        }
        let inputs = Set(graph.inputs)
        for index in graph.values.indices where graph.values[index].constant == nil {
            guard let type = graph.values[index].type else { continue }
            let keeps = !isChanged || inputs.contains(ValueID(index))
            graph.values[index].type = keeps ? type.binding(extents) : type.withoutShapes
        }
    }

    /// Infers the types of the main graph's values as far as operators are known; the graph stays as it is.
    /// - Returns: what was found wrong, when types are only those that the model declares; else `nil`.
    package mutating func inferTypes(
        _ evaluator: Evaluator = Evaluator(), interruption: (any Interruption)? = nil
    ) -> SardonyxError? {
        var inference = GraphInference(opsets: opsets, evaluator: evaluator, interruption: interruption)
        inference.toleratesGaps = true
        var inferred = graph
        inferred.closeSubgraphs()
        do { try inference.run(on: &inferred) } catch { return error }
        for index in graph.values.indices { graph.values[index].type = inferred.values[index].type }
        return nil
    }
}

extension ValueType {
    /// With named extents that are known put in their place.
    fileprivate func binding(_ extents: [String: Int]) -> ValueType {
        guard case .tensor(let dtype, let shape?) = self else { return self }
        let dims = shape.dims.map { dim in
            if case .symbol(let name) = dim, let extent = extents[name] { Dim.known(extent) } else { dim }
        }
        return .tensor(dtype, SymbolicShape(dims))
    }
}
