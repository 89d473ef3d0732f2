import GraphIR
import TensorCore

/// ONNX Constant (1-25): the tensor in the one value attribute that is set.
struct ConstantOperator: Operator {
    private let constant: Constant

    init(_ node: NodeReader) throws(SardonyxError) {
        let names = [
            "value", "sparse_value", "value_float", "value_floats", "value_int", "value_ints", "value_string",
            "value_strings",
        ]
        let given = names.filter(node.has)
        guard given.count == 1 else {
            throw node.error(
                .graph, "value attributes", got: given.isEmpty ? "none" : given.joined(separator: ", "),
                allowed: "exactly one of \(names.joined(separator: ", "))")
        }
        if let tensor = try node.tensor("value") {
            constant = tensor
        } else if let value = try node.float("value_float") {
            constant = Constant(try Tensor([value], dims: []))
        } else if let values = try node.floats("value_floats") {
            constant = Constant(try Tensor(values, dims: [values.count]))
        } else if let value = try node.int("value_int") {
            constant = Constant(try Tensor([Int64(value)], dims: []))
        } else if let values = try node.ints("value_ints") {
            constant = Constant(try Tensor(values.map(Int64.init), dims: [values.count]))
        } else if let value = try node.string("value_string") {
            constant = Constant(try Tensor([value], dims: []))
        } else if let values = try node.strings("value_strings") {
            constant = Constant(try Tensor(values, dims: [values.count]))
        } else if case .sparseTensor(let sparse)? = node.node.attributes["sparse_value"] {
            constant = Constant(dtype: sparse.values.dtype, shape: sparse.shape) {
                [label = node.node.label] () throws(SardonyxError) in
                try Self.dense(sparse, label)
            }
        } else {
            throw node.error(.graph, "attribute sparse_value must be a sparse tensor")
        }
    }

    /// Zeros with the values at their linear or coordinate indices.
    private static func dense(_ sparse: SparseConstant, _ label: String) throws(SardonyxError) -> Tensor {
        let values = try sparse.values.tensor()
        let indices = try sparse.indices.tensor()
        let shape = sparse.shape
        let depth = sparse.indices.shape.rank == 2 ? sparse.indices.shape[1] : 1
        guard let numbers = indices.integers(), depth == 1 || depth == shape.rank,
            numbers.count == values.shape.elementCount * depth,
            values.dtype != .string
        else {
            throw SardonyxError(
                .tensor, label, "sparse_value", got: "values \(values.shape), indices \(indices.shape)",
                allowed: "[NNZ] and [NNZ] or [NNZ, \(shape.rank)]")
        }
        let isLinear = depth == 1 && sparse.indices.shape.rank < 2
        let size = values.dtype.byteSize
        return try Tensor(dtype: values.dtype, shape: shape) { (memory) throws(SardonyxError) in
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: shape.elementCount * size)
            for element in 0..<values.shape.elementCount {
                var position = 0
                for axis in 0..<depth {
                    let index = numbers[element * depth + axis]
                    let extent = isLinear ? shape.elementCount : shape[axis]
                    guard index >= 0, index < extent else {
                        throw SardonyxError(
                            .tensor, label, "sparse_value: index of element \(element)", got: "\(index)",
                            allowed: "0 to \(extent - 1)")
                    }
                    position += isLinear ? index : index * shape.strides[axis]
                }
                (memory + position * size).copyMemory(from: values.pointer + element * size, byteCount: size)
            }
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] { [Inferred(constant)] }

    func run(_ context: RunContext) throws(SardonyxError) {
        let tensor = try constant.tensor()
        let output = try context.output(0, dtype: constant.dtype, shape: constant.shape)
        try TensorView(reading: tensor).copyElements(to: output, threads: context.threads)
        withExtendedLifetime(tensor) {}
    }
}
