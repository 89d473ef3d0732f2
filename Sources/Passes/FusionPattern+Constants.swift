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

    /// For a float32 Mul or Div by a constant scalar that changes no shape: what is multiplied, and by how much.
    func scalarFactor(_ node: Node) throws(SardonyxError) -> (value: ValueID, factor: Float)? {
        guard node.domain == Domains.onnx, node.opType == "Mul" || node.opType == "Div", node.inputs.count == 2,
            let left = node.inputs[0], let right = node.inputs[1], let shape = dims(of: node.outputs[0])
        else { return nil }
        if dims(of: left) == shape, let factor = try scalar(right) {
            return (left, node.opType == "Mul" ? factor : 1 / factor)
        }
        guard node.opType == "Mul", dims(of: right) == shape, let factor = try scalar(left) else { return nil }
        return (right, factor)
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
