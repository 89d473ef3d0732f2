import GraphIR
import Passes
import TensorCore
import Testing

@testable import Execution

/// An encoder layer as exporters spell it: one projection for queries, keys and values, GELU by Erf.
@Suite struct TransformerFusionTests {
    private enum GeluForm: CaseIterable { case halfLast, halfOnSum, halfOnInput }

    private func gelu(_ b: inout GraphBuilder, _ x: ValueID, _ form: GeluForm) throws -> ValueID {
        let half = try b.constant("half", [Float(0.5)], [])
        let scaled = b.node("Div", [x, try b.constant("root", [Float(2).squareRoot()], [])])
        let sum = b.node("Add", [b.node("Erf", [scaled]), try b.constant("one", [Float(1)], [1])])
        switch form {
        case .halfLast: return b.node("Mul", [b.node("Mul", [x, sum]), half])
        case .halfOnSum: return b.node("Mul", [x, b.node("Mul", [half, sum])])
        case .halfOnInput: return b.node("Mul", [b.node("Mul", [x, half]), sum])
        }
    }

    /// 9 tokens of 24 elements, 3 heads of 8.
    private func layer(_ form: GeluForm, selectsByGather: Bool) throws -> ModelGraph {
        var b = GraphBuilder()
        let x = b.input("tokens", [.known(2), .known(9), .known(24)])
        func weight(_ k: Int, _ n: Int, seed: UInt64) throws -> ValueID {
            try b.constant("w\(seed)", noise(k * n, seed: seed).map { $0 * 0.4 }, [k, n])
        }
        func shape(_ name: String, _ dims: [Int64]) throws -> ValueID { try b.constant(name, dims, [dims.count]) }
        var parts: [ValueID] = []
        if selectsByGather {
            let all = b.node(
                "Add",
                [try b.constant("bias", noise(72, seed: 4), [72]), b.node("MatMul", [x, try weight(24, 72, seed: 1)])])
            let cut = b.node("Reshape", [all, try shape("cut", [2, 9, 3, 3, 8])])
            let moved = b.node("Transpose", [cut], ["perm": .ints([2, 0, 3, 1, 4])])
            for part in 0..<3 {
                parts.append(
                    b.node("Gather", [moved, try b.constant("part\(part)", [Int64(part)], [])], ["axis": .int(0)]))
            }
        } else {
            for part in 0..<3 {
                let projected = b.node("MatMul", [x, try weight(24, 24, seed: UInt64(part + 1))])
                let cut = b.node("Reshape", [projected, try shape("cut\(part)", [2, 9, 3, 8])])
                parts.append(b.node("Transpose", [cut], ["perm": .ints([0, 2, 1, 3])]))
            }
        }
        let scale = try b.constant("scale", [Float(0.5946)], [1])
        let keys = b.node("Transpose", [parts[1]], ["perm": .ints([0, 1, 3, 2])])
        let scores = b.node("MatMul", [b.node("Mul", [parts[0], scale]), b.node("Mul", [keys, scale])])
        let mixed = b.node("MatMul", [b.node("Softmax", [scores], ["axis": .int(-1)]), parts[2]])
        let back = b.node("Transpose", [mixed], ["perm": .ints([0, 2, 1, 3])])
        let attended = b.node("Add", [x, b.node("Reshape", [back, try shape("join", [2, 9, 24])])])
        let hidden = b.node(
            "Add",
            [
                b.node("MatMul", [attended, try weight(24, 40, seed: 8)]),
                try b.constant("b8", noise(40, seed: 9), [40]),
            ])
        b.output(b.node("MatMul", [try gelu(&b, hidden, form), try weight(40, 24, seed: 10)]))
        return b.model()
    }

    @Test(arguments: [true, false]) func optimizedEqualsUnoptimized(_ selectsByGather: Bool) throws {
        let feed = try Tensor(noise(2 * 9 * 24, seed: 3), dims: [2, 9, 24])
        for form in GeluForm.allCases {
            let model = try layer(form, selectsByGather: selectsByGather)
            let fast = try GraphExecutor(model, options: ExecutionOptions(threads: 2))
            let plain = try GraphExecutor(
                model, options: ExecutionOptions(threads: 2, disabledPasses: Set(Pipeline.names)))
            let (a, b): ([Float], [Float]) = (try fast.run([feed])[0].array(), try plain.run([feed])[0].array())
            let largest = b.map(abs).max() ?? 0
            #expect(largest > 0.1 && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
            let types = try fast.plan(for: [feed.shape]).steps.map(\.node.opType)
            #expect(types.filter { $0 == "Attention" }.count == 1)
            #expect(
                !types.contains { ["Softmax", "Erf", "Transpose", "Gather", "Mul", "Div"].contains($0) }, "\(types)")
        }
    }

    @Test func fusionsLeaveAloneWhatOthersRead() throws {
        var b = GraphBuilder()
        let x = b.input("x", [.known(4), .known(4)])
        let w = try b.constant("w", noise(16, seed: 1), [4, 4])
        let weights = b.node("Softmax", [b.node("MatMul", [x, w])], ["axis": .int(-1)])
        let product = b.node("MatMul", [weights, w])
        let sum = b.node("Add", [product, try b.constant("bias", noise(4, seed: 2), [4])])
        for output in [weights, product, b.node("Relu", [sum])] { b.output(output) }
        let feed = try Tensor(noise(16, seed: 3), dims: [4, 4])
        let fast = try GraphExecutor(b.model(), options: ExecutionOptions(threads: 1))
        let plain = try GraphExecutor(
            b.model(), options: ExecutionOptions(threads: 1, disabledPasses: Set(Pipeline.names)))
        for (got, expected) in zip(try fast.run([feed]), try plain.run([feed])) {
            let (a, b): ([Float], [Float]) = (try got.array(), try expected.array())
            #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-6 })
        }
    }
}
