import TensorCore

extension Graph {
    /// Which values no plan gives memory to: strings, values that are no tensors, those whose extents depend on data,
    /// and everything that is computed from one of them. Types are inferred.
    package func dynamicValues() -> [Bool] {
        var isDynamic = values.map { value in
            guard case .tensor(let dtype, let shape?)? = value.type, dtype != .string else { return true }
            return shape.knownDims == nil
        }
        for node in nodes
        where (node.inputs + node.outputs).contains(where: { $0.map { isDynamic[$0.index] } ?? false }) {
            for case let output? in node.outputs { isDynamic[output.index] = true }
        }
        return isDynamic
    }
}
