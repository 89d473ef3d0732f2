import Foundation
import Sardonyx
import TestSupport
import Testing

/// What a picture knows of x float32[1, 3, 8, 8] → Conv → Relu → Add of a constant → y, whose nodes have no names.
@Suite struct ModelPictureTests {
    private static func network() -> [UInt8] {
        let values = (0..<4 * 27).map { Float($0) - 54 }
        let weights = tensor("w", dims: [4, 3, 3, 3], .bytes(9, little(values)))
        let half = tensor("h", dims: [1], .bytes(9, little([0.5])))
        let nodes = [
            node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["r"]),
            node("Constant", [], ["k"], .message(5, [.text(1, "value"), .int(20, 4), .message(5, half)])),
            node("Add", ["r", "k"], ["y"]),
        ]
        let signature: Message = [
            .message(11, value("x", extents: [.int(1, 1), .int(1, 3), .int(1, 8), .int(1, 8)])),
            .message(12, value("y", extents: nil)),
        ]
        return model(graph(nodes, initializers: [weights], more: signature))
    }

    @Test func kernelsAreTracedBackToNodesWithoutNames() throws {
        let picture = try Model(bytes: Self.network()).picture()
        #expect(picture.graph.nodes.map(\.operatorName) == ["Conv", "Relu", "Add"])
        let plan = try #require(picture.plan)
        let conv = try #require(plan.graph.nodes.first { $0.operatorName.hasSuffix("Conv") })
        #expect(conv.origins.starts(with: [0, 1]))
        #expect(conv.step != nil && !conv.algorithm.isEmpty)
        // 4 filters on 6 x 6 places, 27 taps each.
        #expect(picture.graph.nodes[0].multiplyAccumulates == 4 * 36 * 27 && conv.multiplyAccumulates == 4 * 36 * 27)
        #expect(picture.problems.isEmpty)
    }

    /// Conv → Relu → Conv → Relu: each Relu belongs to the convolution before it, not to the one that reads it.
    @Test func neighbouringKernelsDoNotShareNodes() throws {
        func weight(_ name: String) -> Message {
            tensor(name, dims: [8, 8, 1, 1], .bytes(9, little((0..<64).map { Float($0 % 7) - 3 })))
        }
        let nodes = [
            node("Conv", ["x", "v"], ["a"]), node("Relu", ["a"], ["b"]), node("Conv", ["b", "w"], ["c"]),
            node("Relu", ["c"], ["y"]),
        ]
        let extents: [Message] = [.int(1, 1), .int(1, 8), .int(1, 6), .int(1, 6)]
        let signature: Message = [.message(11, value("x", extents: extents)), .message(12, value("y", extents: nil))]
        let bytes = model(graph(nodes, initializers: [weight("v"), weight("w")], more: signature))
        let plan = try #require(try Model(bytes: bytes).picture().plan)
        let convolutions = plan.graph.nodes.filter { $0.operatorName.hasSuffix("Conv") }
        #expect(convolutions.map(\.origins) == [[0, 1], [2, 3]])
    }

    /// Conv → Transpose → Reshape → Tanh: the convolution computes the Tanh, the moves between them nothing of it.
    @Test func anActivationBehindMovesBelongsToTheConvolution() throws {
        let weights = tensor("w", dims: [4, 3, 3, 3], .bytes(9, little((0..<4 * 27).map { Float($0) / 108 })))
        let shape = tensor(
            "s", dtype: 7, dims: [3], .bytes(7, Message.varint(1) + Message.varint(36) + Message.varint(4)))
        let permutation = [0, 2, 3, 1].reduce([.text(1, "perm"), .int(20, 7)]) { $0 + .int(8, $1) }
        let nodes = [
            node("Conv", ["x", "w"], ["c"], .text(3, "conv")),
            node("Transpose", ["c"], ["t"], .text(3, "move") + .message(5, permutation)),
            node("Reshape", ["t", "s"], ["r"], .text(3, "shape")), node("Tanh", ["r"], ["y"], .text(3, "tanh")),
        ]
        let signature: Message = [
            .message(11, value("x", extents: [.int(1, 1), .int(1, 3), .int(1, 8), .int(1, 8)])),
            .message(12, value("y", extents: nil)),
        ]
        let bytes = model(graph(nodes, initializers: [weights, shape], more: signature))
        let plan = try #require(try Model(bytes: bytes).picture().plan)
        for index in [0, 3] {
            let kernels = plan.graph.nodes.filter { $0.origins.contains(index) }
            #expect(kernels.map { $0.operatorName.hasSuffix("Conv") } == [true])
        }
    }

    /// x float32[1, 4, 8] → softmax(x xᵀ) x: what fusion swallows belongs to the kernel that computes it.
    @Test func nodesInsideAFusionAreTraced() throws {
        let extents: [Message] = [.int(1, 1), .int(1, 4), .int(1, 8)]
        let nodes = [
            node(
                "Transpose", ["x"], ["t"],
                .message(5, [.text(1, "perm"), .int(20, 7), .int(8, 0), .int(8, 2), .int(8, 1)])),
            node("MatMul", ["x", "t"], ["s"]), node("Softmax", ["s"], ["p"]), node("MatMul", ["p", "x"], ["y"]),
        ]
        let signature: Message = [.message(11, value("x", extents: extents)), .message(12, value("y", extents: nil))]
        let plan = try #require(try Model(bytes: model(graph(nodes, more: signature))).picture().plan)
        #expect(plan.graph.nodes.map(\.operatorName) == ["Attention"])
        #expect(plan.graph.nodes.first?.origins == [0, 1, 2, 3])
    }

    @Test func modulesAreReadFromMetadata() throws {
        func relu(_ input: String, _ output: String, _ namespace: String) -> Message {
            node("Relu", [input], [output], .message(9, [.text(1, "namespace"), .text(2, namespace)]))
        }
        let nodes = [
            relu("x", "a", ": net.Net/enc: net.Encoder/enc.layers: torch.nn.Sequential/enc.layers.0: net.L/relu: aten"),
            relu("a", "b", ": net.Net/relu_1: aten.relu"), relu("b", "c", ""), relu("c", "d", "/::/a/a.b:/b/x"),
            node("Relu", ["d"], ["y"]),
        ]
        let graph = try Model(bytes: model(graph(nodes, inputs: ["x"], outputs: ["y"]))).picture().graph
        #expect(graph.nodes.map(\.modules) == [["enc", "layers", "0"], [], [], ["a", "b", "b"], nil])
    }

    @Test func weightsAreCounted() throws {
        let picture = try Model(bytes: Self.network()).picture()
        let value = try #require(picture.graph.values.first { $0.name == "w" })
        let weight = picture.weights[try #require(value.weight)]
        #expect(weight.type == "float32[4, 3, 3, 3]" && weight.elementCount == 108)
        #expect(weight.minimum == -54 && weight.maximum == 53 && weight.mean == -0.5 && weight.zeroCount == 1)
        // Of 108 equally spaced numbers: sqrt((108^2 - 1) / 12).
        let deviation = try #require(weight.standardDeviation)
        #expect(abs(deviation - 31.1756) < 1e-3)
        #expect(weight.histogram.count == 32 && weight.histogram.reduce(0, +) == 108)
        #expect(weight.picture?.kind == .colorFilters && weight.picture?.dots.count == 108)
        let constant = try #require(picture.graph.values.first { $0.name == "k" })
        let half = picture.weights[try #require(constant.weight)]
        #expect(constant.isConstant && half.elements == ["0.5"])
    }

    @Test func numbersThatAreNoneAreCounted() throws {
        let values = [Float](repeating: 0, count: 20) + [.nan, .infinity, -.infinity, 1e38, -1e38]
        let weights = tensor("w", dims: [25], .bytes(9, little(values)))
        let bytes = model(
            graph([node("Add", ["x", "w"], ["y"])], inputs: ["x"], outputs: ["y"], initializers: [weights]))
        let weight = try #require(try Model(bytes: bytes).picture().weights.first { $0.elementCount == 25 })
        #expect(weight.nanCount == 1 && weight.infinityCount == 2 && weight.zeroCount == 20)
        #expect(weight.histogram.reduce(0, +) == 22 && weight.maximum == Double(Float(1e38)))
    }

    @Test func blocksOfMemoryDoNotOverlap() throws {
        let plan = try #require(try Model(bytes: Self.network()).picture().plan)
        #expect(!plan.buffers.isEmpty)
        for (index, a) in plan.buffers.enumerated() {
            #expect(a.byteOffset + a.byteCount <= plan.arenaByteCount && a.lastStep < plan.stepCount)
            for b in plan.buffers[(index + 1)...] where a.firstStep <= b.lastStep && b.firstStep <= a.lastStep {
                #expect(a.byteOffset + a.byteCount <= b.byteOffset || b.byteOffset + b.byteCount <= a.byteOffset)
            }
        }
    }

    @Test func aModelThatCannotRunHasNoPlanAndAReason() throws {
        let bytes = model(graph([node("Nonsense", ["x"], ["y"], .text(3, "n"))], inputs: ["x"], outputs: ["y"]))
        let picture = try Model(bytes: bytes).picture()
        #expect(picture.plan == nil && picture.graph.nodes.count == 1 && !picture.problems.isEmpty)
    }

    @Test func functionsAreReportedAndTheirNodesTraced() throws {
        let body: Message = [
            .text(1, "Twice"), .text(4, "a"), .text(5, "b"),
            .message(7, node("Softplus", ["a"], ["r"], .text(3, "inner"))), .message(7, node("Neg", ["r"], ["b"])),
            .message(9, .int(2, 18)), .text(10, "made.up"),
        ]
        let call = node("Twice", ["x"], ["y"], [.text(3, "call"), .text(7, "made.up")])
        let bytes = model(
            graph([call], inputs: ["x"], outputs: ["y"]),
            more: [.message(8, [.text(1, "made.up"), .int(2, 1)]), .message(25, body)])
        let picture = try Model(bytes: bytes).picture()
        #expect(picture.functions.map(\.name) == ["made.up.Twice"])
        #expect(picture.functions.first?.graph.nodes.map(\.operatorName) == ["Softplus", "Neg"])
        #expect(picture.graph.nodes.map(\.operatorName) == ["Softplus", "Neg"])
        #expect(picture.graph.nodes.first?.name == "call/inner")
        let plan = try #require(picture.plan)
        #expect(Set(plan.graph.nodes.flatMap(\.origins)) == [0, 1])
    }

    @Test func namesAreGivenOnce() throws {
        let nodes = [
            node("Relu", ["x"], ["a"], .text(3, "same")), node("Relu", ["a"], ["b"], .text(3, "same")),
            node("Relu", ["b"], ["y"]),
        ]
        let named = try Model(bytes: model(graph(nodes, inputs: ["x"], outputs: ["y"]))).namingNodes()
        let names = try named.report().nodes.map(\.name)
        #expect(names[0] == "same" && Set(names).count == 3 && !names.contains(""))
    }
}
