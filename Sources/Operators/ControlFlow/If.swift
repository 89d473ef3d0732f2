import GraphIR
import TensorCore

/// ONNX If (1-25): the outputs of one of two graphs.
struct If: Operator {
    static let elementTypes: [DType] = [.bool]
    private var thenBranch: Subgraph
    private var elseBranch: Subgraph
    private let wanted: [Bool]

    init(_ node: NodeReader) throws(SardonyxError) {
        thenBranch = try Subgraph(node, "then_branch")
        elseBranch = try Subgraph(node, "else_branch")
        wanted = (0..<node.outputCount).map(node.hasOutput)
        for branch in [thenBranch, elseBranch] {
            try branch.requireSignature(inputs: 0, outputs: wanted.count, at: node)
        }
    }

    func runsOnValues(_ inputs: [ValueType?]) -> Bool { true }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let captured = try context.captured()
        if let condition = try context.tensor(0), condition.shape.elementCount == 1 {
            let branch = condition.elements(of: UInt8.self)[0] != 0 ? thenBranch : elseBranch
            return Array(try branch.infer(captured, context).prefix(wanted.count))
        }
        let (first, second): ([Inferred], [Inferred])
        do throws(SardonyxError) { first = try thenBranch.infer(captured, context) } catch {
            // A branch that does not fit these inputs is one that they do not take.
            guard let only = try? elseBranch.infer(captured, context) else { throw error }
            return Array(only.prefix(wanted.count))
        }
        do throws(SardonyxError) { second = try elseBranch.infer(captured, context) } catch {
            return Array(first.prefix(wanted.count))
        }
        var outputs: [Inferred] = []
        for index in wanted.indices {
            guard let merged = first[index].type.merged(with: second[index].type) else {
                throw context.error(
                    .graph, "output \(index) of else_branch", got: "\(second[index].type)",
                    allowed: "\(first[index].type) as of then_branch")
            }
            outputs.append(Inferred(merged))
        }
        return outputs
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let types = try context.types(1..<1 + context.node.captureCount)
        try thenBranch.prepare(types, context)
        try elseBranch.prepare(types, context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let branch = try context.condition(try context.value(0), "condition") ? thenBranch : elseBranch
        let outputs = try branch.run(try context.values(1..<1 + branch.graph.inputs.count), context)
        for (index, isWanted) in wanted.enumerated() where isWanted { try context.setOutput(index, outputs[index]) }
    }
}
