import GraphIR
import TensorCore

/// ONNX SequenceMap (17): a graph applied to the elements of sequences in step; tensors are the same for every element.
struct SequenceMap: Operator {
    private var body: Subgraph
    private let ownInputs: Int
    private let wanted: [Bool]

    init(_ node: NodeReader) throws(SardonyxError) {
        body = try Subgraph(node, "body")
        ownInputs = node.inputCount - node.node.captureCount
        guard ownInputs >= 1 else { throw node.error(.graph, "inputs", got: "none", allowed: "1 or more") }
        wanted = (0..<node.outputCount).map(node.hasOutput)
        try body.requireSignature(inputs: ownInputs, outputs: wanted.count, at: node)
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        _ = try context.sequenceElement(0)
        var elements: [Inferred] = []
        for index in 0..<ownInputs {
            let input = try context.input(index)
            if case .sequence(let element) = input.type.held {
                elements.append(Inferred(element))
            } else {
                elements.append(input)
            }
        }
        return try body.infer(elements + (try context.captured()), context).prefix(wanted.count).map {
            Inferred(.sequence($0.type))
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let types = try context.types(0..<body.graph.inputs.count)
        let elements = types.prefix(ownInputs).map { type in
            if case .sequence(let element) = type.held { element } else { type }
        }
        try body.prepare(elements + types.dropFirst(ownInputs), context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let count = try context.sequence(0).count
        let inputs = try context.values(0..<body.graph.inputs.count)
        for (position, input) in inputs.prefix(ownInputs).enumerated() {
            if case .sequence(let sequence) = input, sequence.count != count {
                throw context.error(
                    .value, "length of sequence \(position)", got: "\(sequence.count)",
                    allowed: "\(count) as of the first")
            }
        }
        var outputs: [TensorSequence?] = wanted.map { _ in nil }
        for element in 0..<count {
            try context.interruption?.check()
            var arguments = inputs
            for position in 0..<ownInputs {
                if case .sequence(let sequence) = inputs[position] {
                    arguments[position] = .tensor(sequence.elements[element])
                }
            }
            let results = try body.run(arguments, context)
            for index in wanted.indices where wanted[index] {
                guard case .tensor(let tensor) = results[index] else {
                    throw context.error(
                        .graph, "output \(index) of the body", got: "\(results[index].type)", allowed: "a tensor")
                }
                try context.append(tensor, to: &outputs[index])
            }
        }
        var types: [ValueType] = []
        if count == 0 {
            let elements = inputs.enumerated().map { position, input -> ValueType in
                guard position < ownInputs, case .sequence(let element) = input.type else { return input.type }
                return element
            }
            types = try body.outputTypes(elements, captured: [], context)
        }
        for index in wanted.indices where wanted[index] {
            let empty = TensorSequence(count == 0 ? types[index].dtype ?? .float32 : .float32)
            try context.setOutput(index, .sequence(outputs[index] ?? empty))
        }
    }
}
