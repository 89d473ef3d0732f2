import GraphIR
import TensorCore

/// ONNX SequenceEmpty (11): a sequence without elements, of type `dtype`.
struct SequenceEmpty: Operator {
    private let dtype: DType

    init(_ node: NodeReader) throws(SardonyxError) { dtype = try node.dtype("dtype") ?? .float32 }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        [Inferred(.sequence(.tensor(dtype, nil)))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        try context.setOutput(0, .sequence(TensorSequence(dtype)))
    }
}

/// ONNX SequenceConstruct (11): the inputs as a sequence.
struct SequenceConstruct: Operator {
    private let count: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        count = node.inputCount
        guard count > 0 else { throw node.error(.graph, "inputs", got: "none", allowed: "1 or more") }
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        var element = try context.input(0).type
        for index in 1..<max(count, 1) {
            guard let merged = element.merged(with: try context.input(index).type) else {
                throw context.error(
                    .graph, "input \(index)", got: "\(try context.input(index).type)", allowed: "a tensor of \(dtype)")
            }
            element = merged
        }
        return [Inferred(.sequence(element))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        var sequence: TensorSequence?
        for index in 0..<count { try context.append(try context.tensor(index), to: &sequence) }
        if let sequence { try context.setOutput(0, .sequence(sequence)) }
    }
}

/// ONNX SequenceInsert (11): the sequence with one more tensor, at `position` or at the end.
struct SequenceInsert: Operator {
    init(_ node: NodeReader) throws(SardonyxError) {}

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let element = try context.sequenceElement(0)
        try context.requirePosition(2)
        guard let merged = element.merged(with: try context.input(1).type) else {
            throw context.error(
                .graph, "input 1", got: "\(try context.input(1).type)", allowed: "\(element) as in the sequence")
        }
        return [Inferred(.sequence(merged))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        var sequence = try context.sequence(0)
        let count = sequence.count
        var position = count
        if let given = try context.integer(2) {
            guard given >= -count, given <= count else {
                throw context.error(.value, "position", got: "\(given)", allowed: "\(-count) to \(count)")
            }
            position = given < 0 ? given + count : given
        }
        try context.insert(try context.tensor(1), at: position, of: &sequence)
        try context.setOutput(0, .sequence(sequence))
    }
}

/// ONNX SequenceErase (11): the sequence without the tensor at `position`, or without the last.
struct SequenceErase: Operator {
    init(_ node: NodeReader) throws(SardonyxError) {}

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requirePosition(1)
        return [Inferred(.sequence(try context.sequenceElement(0)))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        var sequence = try context.sequence(0)
        guard sequence.count > 0 else { throw context.error(.value, "the sequence is empty") }
        sequence.remove(at: try context.position(1, count: sequence.count) ?? sequence.count - 1)
        try context.setOutput(0, .sequence(sequence))
    }
}

/// ONNX SequenceAt (11): the tensor at `position`.
struct SequenceAt: Operator {
    init(_ node: NodeReader) throws(SardonyxError) {}

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        _ = try context.input(1)
        try context.requirePosition(1)
        return [Inferred(try context.sequenceElement(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let sequence = try context.sequence(0)
        guard let position = try context.position(1, count: sequence.count) else {
            throw context.error(.graph, "input 1 is missing")
        }
        try context.setOutput(0, .tensor(sequence.elements[position]))
    }
}

/// ONNX SequenceLength (11): the number of tensors.
struct SequenceLength: Operator {
    init(_ node: NodeReader) throws(SardonyxError) {}

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        _ = try context.sequenceElement(0)
        return [Inferred(.int64, [])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        try context.setOutput(0, .tensor(try Tensor([Int64(context.sequence(0).count)], dims: [])))
    }
}
