import CKernels
import GraphIR
import TensorCore

@testable import Operators

/// Runs one node in the layouts that it prefers when its first input is blocked, or wholly plain.
struct LayoutRunner {
    let node: Node
    let opset: Int
    let inputs: [Tensor]

    init(
        _ opType: String, _ inputs: [Tensor], _ attributes: [String: Attribute] = [:], domain: String = "",
        opset: Int = 20
    ) {
        self.node = Node(
            name: "n", domain: domain, opType: opType, inputs: inputs.indices.map { ValueID($0) },
            outputs: [ValueID(100)],
            attributes: attributes)
        self.opset = opset
        self.inputs = inputs
    }

    func plain() throws -> [Float] {
        let outputs = try Evaluator(threads: 2).outputs(of: node, opset: opset, inputs: inputs)
        return try outputs[0]?.array(of: Float.self) ?? []
    }

    /// - Returns: the output as plain floats, its layout, and whether its padding lanes are zero.
    func blocked(input layouts: [Layout]) throws -> (values: [Float], layout: Layout, paddingIsZero: Bool) {
        var op = try OperatorTable.makeOperator(for: node, opset: opset)
        let constants = inputs.map { Constant($0) }
        let inferred = try OperatorTable.inferred(
            op, InferContext(node: node, opset: opset, inputs: constants.map { Inferred($0) }))
        guard let shape = try inferred[0].type.shape?.concrete() else { return ([], .plain, false) }
        var infos: [TensorInfo?] = zip(inputs, layouts).map { TensorInfo(dtype: $0.dtype, shape: $0.shape, layout: $1) }
        var output = TensorInfo(dtype: .float32, shape: shape)
        guard let choice = op.preferredLayouts(infos, [output]) else { return (try plain(), .plain, true) }
        output.layout = choice.outputs[0]
        for index in infos.indices { infos[index]?.layout = choice.inputs[index] }
        try op.prepare(
            PrepareContext(
                node: node, inputs: infos, outputs: [output], constants: constants, threads: 2, weights: WeightCache(),
                budget: .unlimited))
        var buffers: [Buffer] = []
        var views: [TensorView?] = []
        for (index, tensor) in inputs.enumerated() {
            let (view, buffer) = try LayoutRunner.view(tensor, choice.inputs[index])
            views.append(view)
            buffers.append(buffer)
        }
        let count = try output.layout.storedElementCount(shape)
        let memory = try Buffer(byteCount: count * 4)
        let stored = memory.pointer.bindMemory(to: Float.self, capacity: count)
        for i in 0..<count { stored[i] = .nan }
        let scratch = try Buffer(byteCount: op.scratchByteCount)
        let y = TensorView(dtype: .float32, shape: shape, layout: output.layout, pointer: memory.pointer)
        try op.run(
            RunContext(
                label: "n", inputs: views, outputs: [y], scratch: scratch.pointer, threads: 2, budget: .unlimited))
        withExtendedLifetime((buffers, inputs)) {}
        guard output.layout == .blocked16 else {
            return (Array(UnsafeBufferPointer(start: stored, count: count)), .plain, true)
        }
        var values = [Float](repeating: 0, count: shape.elementCount)
        sx_reorder(
            SX_LAYOUT_BLOCKED16, SX_LAYOUT_PLAIN, Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]), stored,
            &values, 1)
        let pixels = shape[2] * shape[3]
        let blocks = (shape[1] + 15) / 16
        let paddingIsZero = (0..<count).allSatisfy { i in
            (i / 16 / pixels % blocks) * 16 + i % 16 < shape[1] || stored[i] == 0
        }
        return (values, .blocked16, paddingIsZero)
    }

    private static func view(_ tensor: Tensor, _ layout: Layout) throws -> (TensorView, Buffer) {
        guard layout == .blocked16 else { return (TensorView(reading: tensor), tensor.buffer) }
        let shape = tensor.shape
        let buffer = try Buffer(byteCount: try layout.storedElementCount(shape) * 4)
        sx_reorder(
            SX_LAYOUT_PLAIN, SX_LAYOUT_BLOCKED16, Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]),
            tensor.elements(of: Float.self).baseAddress, buffer.pointer.assumingMemoryBound(to: Float.self), 1)
        return (TensorView(dtype: .float32, shape: shape, layout: layout, pointer: buffer.pointer), buffer)
    }

    /// A reproducible tensor in (-1, 1), the same as `ramp` in the comments that give PyTorch expressions.
    static func ramp(_ dims: [Int], _ k: Int) throws -> Tensor {
        let count = dims.reduce(1, *)
        return try Tensor((0..<count).map { Float(Double(($0 * 7919 + k * 104729) % 2003) / 1001.5 - 1) }, dims: dims)
    }
}
