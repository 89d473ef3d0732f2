import GraphIR
import TensorCore

@testable import Operators

/// Runs or infers one node with given attributes.
struct NodeRunner {
    var opset = 21
    let type: String
    var attributes: [String: Attribute] = [:]
    var outputs = 1
    var domain = Domains.onnx

    init(_ type: String, opset: Int = 21, outputs: Int = 1, _ attributes: [String: Attribute] = [:]) {
        self.type = type
        self.opset = opset
        self.outputs = outputs
        self.attributes = attributes
    }

    private func node(_ inputs: [Bool]) -> Node {
        Node(
            name: "n", domain: domain, opType: type, inputs: inputs.enumerated().map { $1 ? ValueID($0) : nil },
            outputs: (0..<outputs).map { ValueID(inputs.count + $0) }, attributes: attributes)
    }

    func run(_ inputs: Tensor?...) throws -> [Tensor?] {
        try Evaluator().outputs(of: node(inputs.map { $0 != nil }), opset: opset, inputs: inputs)
    }

    /// Runs with nothing known before but types, so that the node allocates its outputs itself.
    func runUnplanned(_ inputs: [Tensor]) throws -> [Tensor?] {
        let op = try OperatorTable.makeOperator(for: node(inputs.map { _ in true }), opset: opset)
        let context = RunContext(
            label: "\(type) 'n'", inputs: inputs.map(TensorView.init(reading:)),
            outputs: [TensorView?](repeating: nil, count: outputs),
            threads: 1, budget: .unlimited)
        try op.run(context)
        withExtendedLifetime(inputs) {}
        return context.made.map { $0?.tensor }
    }

    func infer(_ inputs: Inferred?...) throws -> [Inferred] {
        let node = node(inputs.map { $0 != nil })
        return try OperatorTable.inferred(
            try OperatorTable.makeOperator(for: node, opset: opset),
            InferContext(node: node, opset: opset, inputs: inputs))
    }

    /// The class of the error that running throws, and its message.
    func fault(_ inputs: Tensor?...) -> SardonyxError? {
        do {
            _ = try Evaluator(budget: MemoryBudget(byteCount: 1 << 20)).outputs(
                of: node(inputs.map { $0 != nil }), opset: opset, inputs: inputs)
            return nil
        } catch { return error }
    }
}

func ints(_ values: [Int64], _ dims: [Int]? = nil) throws -> Tensor { try Tensor(values, dims: dims ?? [values.count]) }
func floats(_ values: [Float], _ dims: [Int]? = nil) throws -> Tensor {
    try Tensor(values, dims: dims ?? [values.count])
}
