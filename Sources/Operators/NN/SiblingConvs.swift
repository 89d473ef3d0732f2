import CKernels
import GraphIR
import TensorCore

/// `sardonyx.SiblingConvs`: convolutions of one input with the same window, computed together (float32, 4-D, constant
/// weights, one group, no residual).
///
/// Inputs x, then w and b of each; outputs y of each. Attribute `NAME.i` is attribute NAME of the i-th `Conv`.
package struct SiblingConvs: Operator {
    private let nodes: [Node]
    /// None, after `prepare`, where the outputs are empty.
    private var members: [Conv] = []
    package private(set) var scratchByteCount = 0
    package private(set) var preparedInputs: [Int] = []

    /// The most convolutions that one node may hold.
    package static let mostMembers = Int(SX_CONV_MAX_PARTS)

    /// One node that computes what `convs` do.
    package static func node(of convs: [Node]) -> Node {
        var node = Node(
            name: convs[0].name, domain: Domains.internal, opType: "SiblingConvs", inputs: [convs[0].inputs[0]],
            outputs: convs.map { $0.outputs[0] }, origins: convs.flatMap(\.origins))
        for (index, conv) in convs.enumerated() {
            node.inputs += [conv.inputs[1], conv.inputs.count > 2 ? conv.inputs[2] : nil]
            for (name, value) in conv.attributes { node.attributes["\(name).\(index)"] = value }
        }
        return node
    }

    package init(_ reader: NodeReader) throws(SardonyxError) {
        let merged = reader.node
        guard (1...Self.mostMembers).contains(merged.outputs.count),
            merged.inputs.count == 1 + 2 * merged.outputs.count
        else { throw reader.error(.internal, "inputs", got: "\(merged.inputs.count)", allowed: "1 + 2 an output") }
        var nodes: [Node] = []
        for index in merged.outputs.indices {
            let inputs = [merged.inputs[0], merged.inputs[1 + 2 * index], merged.inputs[2 + 2 * index]]
            var node = Node(
                name: merged.name, domain: Domains.internal, opType: "Conv", inputs: inputs,
                outputs: [merged.outputs[index]])
            for (name, value) in merged.attributes where name.hasSuffix(".\(index)") {
                node.attributes[String(name.dropLast(2))] = value
            }
            nodes.append(node)
            members.append(try Conv(NodeReader(node, opset: reader.opset)))
        }
        self.nodes = nodes
    }

    /// The entries of x, w and b of a member in a list by input position.
    private func slice<Entry>(_ index: Int, of inputs: [Entry?]) -> [Entry?] {
        [inputs[0], inputs[1 + 2 * index], inputs[2 + 2 * index]]
    }

    package func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        var results: [Inferred] = []
        for (index, member) in members.enumerated() {
            results += try member.infer(
                InferContext(node: nodes[index], opset: context.opset, inputs: slice(index, of: context.inputs)))
        }
        return results
    }

    package mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        for index in members.indices {
            try members[index].prepare(
                PrepareContext(
                    node: nodes[index], inputs: slice(index, of: context.inputs), outputs: [context.outputs[index]],
                    constants: slice(index, of: context.constants), threads: context.threads,
                    weights: context.weights, budget: context.budget, interruption: context.interruption))
            preparedInputs += members[index].preparedInputs.map { $0 + 2 * index }
        }
        let isEmpty = members.contains { if case .empty = $0.plan { true } else { false } }
        guard !isEmpty else { return members = [] }
        var parts: [sx_conv_part] = []
        for index in members.indices {
            guard let part = part(index, to: nil) else {
                throw context.error(.internal, "a member is no image convolution with constant weights")
            }
            parts.append(part)
        }
        let scratch = Int(sx_conv_siblings_scratch_bytes(parts, Int32(parts.count), Int32(context.threads)))
        guard let total = CheckedSize.sum(members[0].copiedInputByteCount, scratch) else {
            throw context.error(.limit, "scratch overflows")
        }
        scratchByteCount = total
    }

    /// What the kernel wants to know of a prepared member that writes to `y`.
    private func part(_ index: Int, to y: UnsafeMutablePointer<Float>?) -> sx_conv_part? {
        guard case .planar(let shape, let algorithm, let packed?, _) = members[index].plan else { return nil }
        return sx_conv_part(
            shape: shape, algorithm: algorithm, packed: packed.pointer,
            epilogue: sx_conv_epilogue(residual: nil, activation: members[index].activation), y: y)
    }

    package func run(_ context: RunContext) throws(SardonyxError) {
        guard let first = members.first, let shape = part(0, to: nil)?.shape else { return }
        let input = try first.inputPixels(of: shape, context)
        for index in members.indices { _ = try context.output(index) }
        withUnsafeTemporaryAllocation(of: sx_conv_part.self, capacity: members.count) { parts in
            for index in members.indices {
                guard let part = part(index, to: context.outputs[index]?.floats) else { return }
                parts.initializeElement(at: index, to: part)
            }
            sx_conv_siblings(
                parts.baseAddress, Int32(members.count), input,
                context.scratch.map { $0 + first.copiedInputByteCount }, Int32(context.threads))
        }
    }

    package func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        var choice = LayoutChoice(inputs: [Layout](repeating: .plain, count: inputs.count), outputs: [])
        for (index, member) in members.enumerated() {
            guard let own = member.preferredLayouts(slice(index, of: inputs), [outputs[index]]) else { return nil }
            choice.inputs[0] = own.inputs[0]
            choice.outputs += own.outputs
        }
        return choice
    }

    package func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        sum(inputs, outputs) { $0.multiplyAccumulates($1, $2) }
    }

    package func executedMultiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        sum(inputs, outputs) { $0.executedMultiplyAccumulates($1, $2) }
    }

    private func sum(
        _ inputs: [TensorInfo?], _ outputs: [TensorInfo?], _ count: (Conv, [TensorInfo?], [TensorInfo?]) -> Int
    ) -> Int {
        members.enumerated().reduce(0) { sum, member in
            let own = count(member.element, slice(member.offset, of: inputs), [outputs[member.offset]])
            return CheckedSize.sum(sum, own) ?? .max
        }
    }

    /// That of the first member, and of the others where they differ.
    package var algorithm: String {
        members.map(\.algorithm).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            .joined(separator: ", ")
    }
}
