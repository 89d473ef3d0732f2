import GraphIR
import Operators
import Passes
import TensorCore
import Testing

@testable import Execution

/// The plan of a small graph built like YOLACT: feature pyramid, shared heads, prototypes, as PyTorch exports it.
@Suite struct YolactGraphTests {
    private struct Network {
        var b = GraphBuilder()
        var weightCount = 0

        /// Weights by name: heads that share them share the constant.
        mutating func weights(_ k: Int, _ c: Int, _ size: Int) throws -> [ValueID] {
            weightCount += 1
            let seed = UInt64(weightCount)
            let scale = 1 / Float(c * size * size).squareRoot()
            return [
                try b.constant(
                    "w\(seed)", noise(k * c * size * size, seed: seed).map { $0 * scale }, [k, c, size, size]),
                try b.constant("b\(seed)", noise(k, seed: seed + 1000).map { $0 * 0.1 }, [k]),
            ]
        }

        mutating func conv(_ x: ValueID, _ weights: [ValueID], _ size: Int, stride: Int = 1) -> ValueID {
            let pad = size / 2
            return b.node(
                "Conv", [x] + weights,
                [
                    "pads": .ints([pad, pad, pad, pad]), "strides": .ints([stride, stride]),
                    "kernel_shape": .ints([size, size]),
                ])
        }

        mutating func conv(_ x: ValueID, _ k: Int, _ c: Int, _ size: Int, stride: Int = 1) throws -> ValueID {
            conv(x, try weights(k, c, size), size, stride: stride)
        }

        mutating func relu(_ x: ValueID) -> ValueID { b.node("Relu", [x]) }

        mutating func resize(_ x: ValueID, _ c: Int, _ height: Int, _ width: Int) throws -> ValueID {
            let sizes = try b.constant(
                "sizes\(b.graph.nodes.count)", [1, Int64(c), Int64(height), Int64(width)], [4])
            return b.node(
                "Resize", [x, nil, nil, sizes],
                [
                    "mode": .string(Array("linear".utf8)),
                    "coordinate_transformation_mode": .string(Array("half_pixel".utf8)),
                ])
        }

        mutating func head(_ x: ValueID, _ weights: [ValueID], _ entries: Int) throws -> ValueID {
            let moved = b.node("Transpose", [conv(x, weights, 3)], ["perm": .ints([0, 2, 3, 1])])
            let shape = try b.constant("shape\(b.graph.nodes.count)", [Int64(1), -1, Int64(entries)], [3])
            return b.node("Reshape", [moved, shape])
        }
    }

    /// 3 levels from a picture of 44 × 52; 3 anchors a position, 5 classes, 8 coefficients.
    private func network() throws -> ModelGraph {
        var n = Network()
        let image = n.b.input("image", [.known(1), .known(3), .known(44), .known(52)])
        let stem = n.relu(try n.conv(image, 32, 3, 7, stride: 2))
        let pooled = n.b.node(
            "MaxPool", [stem],
            ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1])])
        let shortcut = try n.conv(pooled, 64, 32, 1)
        let inner = n.relu(try n.conv(pooled, 32, 32, 1))
        let c3 = n.relu(n.b.node("Add", [try n.conv(inner, 64, 32, 3), shortcut]))
        let c4 = n.relu(try n.conv(c3, 64, 64, 3, stride: 2))
        let lateral4 = try n.conv(c4, 32, 64, 1)
        let lateral3 = try n.conv(c3, 32, 64, 1)
        let top = n.b.node("Add", [try n.resize(lateral4, 32, 11, 13), lateral3])
        let p3 = n.relu(try n.conv(top, 32, 32, 3))
        let p4 = n.relu(try n.conv(lateral4, 32, 32, 3))
        let p5 = try n.conv(p4, 32, 32, 3, stride: 2)

        let (up, box) = (try n.weights(32, 32, 3), try n.weights(12, 32, 3))
        let (confidence, mask) = (try n.weights(15, 32, 3), try n.weights(24, 32, 3))
        var (boxes, scores, coefficients): ([ValueID], [ValueID], [ValueID]) = ([], [], [])
        for level in [p3, p4, p5] {
            let x = n.relu(n.conv(level, up, 3))
            boxes.append(try n.head(x, box, 4))
            scores.append(try n.head(x, confidence, 5))
            coefficients.append(n.b.node("Tanh", [try n.head(x, mask, 8)]))
        }
        n.b.output(n.b.node("Concat", boxes, ["axis": .int(-2)]))
        n.b.output(n.b.node("Softmax", [n.b.node("Concat", scores, ["axis": .int(-2)])], ["axis": .int(-1)]))
        n.b.output(n.b.node("Concat", coefficients, ["axis": .int(-2)]))

        let proto = n.relu(try n.resize(n.relu(try n.conv(p3, 32, 32, 3)), 32, 22, 26))
        let prototypes = n.relu(try n.conv(n.relu(try n.conv(proto, 32, 32, 3)), 8, 32, 1))
        n.b.output(n.b.node("Transpose", [prototypes], ["perm": .ints([0, 2, 3, 1])]))
        return n.b.model()
    }

    private func image() throws -> Tensor { try Tensor(noise(3 * 44 * 52, seed: 7), dims: [1, 3, 44, 52]) }

    private func largestDifference(_ a: [Tensor], _ b: [Tensor]) throws -> Float {
        var largest: Float = 0
        for (x, y) in zip(a, b) {
            let (left, right): ([Float], [Float]) = (try x.array(), try y.array())
            #expect(x.shape == y.shape)
            let scale = right.map(abs).max() ?? 1
            for (p, q) in zip(left, right) { largest = max(largest, abs(p - q) / scale) }
        }
        return largest
    }

    /// Only operators that compute are left: everything that moves or finishes elements is part of a convolution.
    @Test func thePlanHoldsNothingThatOnlyMoves() throws {
        let plan = try GraphExecutor(try network(), options: ExecutionOptions(threads: 1))
            .plan(for: [Shape([1, 3, 44, 52])])
        var counts: [String: Int] = [:]
        for step in plan.steps { counts[step.node.opType, default: 0] += 1 }
        #expect(counts == ["Conv": 14, "SiblingConvs": 4, "MaxPool": 1, "Resize": 2, "Softmax": 1])
        #expect(plan.results.allSatisfy { $0.copiedFrom == nil })
    }

    @Test func everyPassCanBeLeftOut() throws {
        let model = try network()
        let feeds = [try image()]
        let all = Set(Pipeline.names)
        let reference = try GraphExecutor(model, options: ExecutionOptions(threads: 2, disabledPasses: all)).run(feeds)
        for disabled in [[]] + all.sorted().map({ [$0] }) {
            let options = ExecutionOptions(threads: 2, disabledPasses: Set(disabled))
            let outputs = try GraphExecutor(model, options: options).run(feeds)
            // Sums of at most 576 products, eight layers deep, in another order.
            #expect(try largestDifference(outputs, reference) < 1e-5, "without \(disabled)")
        }
    }

    /// Heads are merged, and so are the shared head and the prototype branch, which begin at the same level.
    @Test func mergedConvolutionsGiveTheSameBits() throws {
        let model = try network()
        let feeds = [try image()]
        let merged = try GraphExecutor(model, options: ExecutionOptions(threads: 2)).run(feeds)
        let options = ExecutionOptions(threads: 2, disabledPasses: ["merge-sibling-convs"])
        #expect(try largestDifference(merged, try GraphExecutor(model, options: options).run(feeds)) == 0)
    }

    @Test func sameBitsForEveryThreadCount() throws {
        let model = try network()
        let feeds = [try image()]
        let reference = try GraphExecutor(model, options: ExecutionOptions(threads: 1)).run(feeds)
        for threads in [2, 3, 8] {
            let outputs = try GraphExecutor(model, options: ExecutionOptions(threads: threads)).run(feeds)
            #expect(try largestDifference(outputs, reference) == 0)
        }
    }
}
