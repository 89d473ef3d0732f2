import GraphIR
import TensorCore

/// What is known of one value before it is computed.
package struct Inferred: Sendable {
    package var type: ValueType
    /// The value itself, when it is constant.
    package var constant: Constant?
    /// The elements of a small integer tensor of rank 0 or 1, as far as they are known: how shape arithmetic
    /// (Shape, Gather, Concat, Unsqueeze, Mul …) carries symbolic extents to Reshape, Expand and Resize.
    package var content: [Dim]?

    package init(_ type: ValueType, constant: Constant? = nil, content: [Dim]? = nil) {
        self.type = type
        self.constant = constant
        self.content = content
    }

    package init(_ dtype: DType, _ shape: SymbolicShape?, content: [Dim]? = nil) {
        self.init(.tensor(dtype, shape), content: content)
    }

    package init(_ constant: Constant) {
        self.init(constant.type, constant: constant)
    }
}

/// What `Operator.infer` sees of its node.
package struct InferContext: Sendable {
    package let node: Node
    package let opset: Int
    /// By position; `nil` for an omitted optional input. A present input whose type is unknown has no dtype.
    package let inputs: [Inferred?]
    /// Whether a last window of `ceil_mode` counts that starts in the end padding: no pool makes it, but ONNX's shape
    /// inference counts it, so that files declare it.
    package var countsWindowsInPadding = false
    /// Infers subgraphs of the node.
    package var subgraphs: (any SubgraphInference)?

    package init(node: Node, opset: Int, inputs: [Inferred?]) {
        self.node = node
        self.opset = opset
        self.inputs = inputs
    }

    package func hasInput(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    /// The input, which must be present.
    package func input(_ index: Int) throws(SardonyxError) -> Inferred {
        guard index < inputs.count, let input = inputs[index] else { throw error(.graph, "input \(index) is missing") }
        return input
    }

    package func dtype(_ index: Int) throws(SardonyxError) -> DType {
        guard let dtype = try input(index).type.dtype else {
            throw error(.graph, "input \(index) must be a tensor", got: "\(try input(index).type)")
        }
        return dtype
    }

    /// The input's shape as far as it is known; `nil` when not even the rank is.
    package func shape(_ index: Int) throws(SardonyxError) -> SymbolicShape? { try input(index).type.shape }

    /// The contents of a constant input; `nil` when it is absent or not constant.
    package func tensor(_ index: Int) throws(SardonyxError) -> Tensor? {
        guard index < inputs.count, let constant = inputs[index]?.constant else { return nil }
        return try constant.tensor()
    }

    /// The elements of an integer input of rank 0 or 1, known or symbolic; `nil` when nothing is known.
    package func content(_ index: Int) throws(SardonyxError) -> [Dim]? {
        guard index < inputs.count, let input = inputs[index] else { return nil }
        if let content = input.content { return content }
        guard let constant = input.constant, constant.shape.rank <= 1, constant.shape.elementCount <= 1024 else {
            return nil
        }
        return try constant.tensor().integers()?.map(Dim.known)
    }

    /// The elements of an integer input when all are known.
    package func integers(_ index: Int) throws(SardonyxError) -> [Int]? {
        guard index < inputs.count, let input = inputs[index] else { return nil }
        if let constant = input.constant { return try constant.tensor().integers() }
        return input.content.flatMap { SymbolicShape($0).knownDims }
    }

    /// - Throws: `shape` when the rank of the input is known and not allowed.
    package func requireRank(_ index: Int, _ allowed: ClosedRange<Int>, _ role: String) throws(SardonyxError) {
        guard let shape = try shape(index), !allowed.contains(shape.rank) else { return }
        let range =
            allowed.count == 1 ? "rank \(allowed.lowerBound)" : "rank \(allowed.lowerBound) to \(allowed.upperBound)"
        throw error(.shape, "\(role) rank", got: "\(shape)", allowed: range)
    }

    /// - Throws: `unsupported` when the element type of the input is not in the list.
    package func requireDType(_ index: Int, _ allowed: [DType], _ role: String) throws(SardonyxError) {
        let dtype = try dtype(index)
        guard !allowed.contains(dtype) else { return }
        throw error(
            .unsupported, "\(role) element type", got: "\(dtype)",
            allowed: allowed.map(\.description).joined(separator: ", "))
    }

    /// An error placed at this node.
    package func error(
        _ code: SardonyxError.Code, _ what: String, got: String? = nil, allowed: String? = nil, hint: String? = nil
    ) -> SardonyxError {
        SardonyxError(code, node.label, what, got: got, allowed: allowed, hint: hint)
    }
}

extension Tensor {
    /// The elements as integers; `nil` when the type is not an integer type or one does not fit.
    package func integers() -> [Int]? {
        func convert<T: BinaryInteger>(_: T.Type) -> [Int]? {
            var result: [Int] = []
            result.reserveCapacity(shape.elementCount)
            for element in elements(of: T.self) {
                guard let value = Int(exactly: element) else { return nil }
                result.append(value)
            }
            return result
        }
        return switch dtype {
        case .int64: convert(Int64.self)
        case .int32: convert(Int32.self)
        case .int16: convert(Int16.self)
        case .int8, .int4, .int2: convert(Int8.self)
        case .uint64: convert(UInt64.self)
        case .uint32: convert(UInt32.self)
        case .uint16: convert(UInt16.self)
        case .uint8, .uint4, .uint2: convert(UInt8.self)
        default: nil
        }
    }
}
