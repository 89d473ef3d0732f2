import GraphIR
import TensorCore

// What fusions read of shapes and small constants.
extension FusionPattern {
    /// The extents of a value when all are known.
    func dims(of value: ValueID?) -> [Int]? { value.flatMap { graph[$0].type?.shape?.knownDims } }

    func isFloat32(_ value: ValueID?) -> Bool { value.flatMap { graph[$0].type?.dtype } == .float32 }

    /// A float32 constant of one element.
    func scalar(_ value: ValueID?) throws(SardonyxError) -> Float? {
        guard let value, let constant = graph[value].constant, constant.dtype == .float32,
            constant.shape.elementCount == 1
        else { return nil }
        return try constant.tensor().elements(of: Float.self).first
    }

    /// For a node of two operands, one of them a float32 constant scalar that changes no shape: the other one, the
    /// scalar, and whether that stands first.
    func scalarOperand(_ node: Node) throws(SardonyxError) -> (value: ValueID, scalar: Float, isFirst: Bool)? {
        guard node.domain == Domains.onnx, node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1]
        else { return nil }
        if let scalar = try scalar(right), rank(right, isAtMostOf: left) { return (left, scalar, false) }
        guard let scalar = try scalar(left), rank(left, isAtMostOf: right) else { return nil }
        return (right, scalar, true)
    }

    private func rank(_ constant: ValueID, isAtMostOf value: ValueID) -> Bool {
        guard let own = graph[constant].constant?.shape.rank else { return false }
        return own <= graph[value].type?.shape?.rank ?? 0
    }

    /// For a float32 Mul or Div by a constant scalar that changes no shape: what is multiplied, and by how much.
    func scalarFactor(_ node: Node) throws(SardonyxError) -> (value: ValueID, factor: Float)? {
        guard node.opType == "Mul" || node.opType == "Div", let (value, scalar, isFirst) = try scalarOperand(node)
        else { return nil }
        if node.opType == "Mul" { return (value, scalar) }
        return isFirst ? nil : (value, 1 / scalar)
    }

    /// For a Gather of one constant index: the axis, which goes away, and the index, both from the front.
    func selection(_ node: Node) throws(SardonyxError) -> (axis: Int, index: Int)? {
        guard node.opType == "Gather", node.inputs.count == 2, let indices = node.inputs[1],
            let constant = graph[indices].constant, constant.shape.rank == 0,
            let extents = dims(of: node.inputs[0]), let given = try constant.tensor().integers()?.first
        else { return nil }
        var axis = 0
        if case .int(let value)? = node.attributes["axis"] { axis = value < 0 ? value + extents.count : value }
        guard extents.indices.contains(axis) else { return nil }
        let index = given < 0 ? given + extents[axis] : given
        return (0..<extents[axis]).contains(index) ? (axis, index) : nil
    }
}

extension Graph {
    /// The elements of an input that is a constant of integers.
    func integers(_ node: Node, input index: Int) throws(SardonyxError) -> [Int]? {
        guard index < node.inputs.count, let value = node.inputs[index] else { return nil }
        return try self[value].constant?.tensor().integers()
    }
}
