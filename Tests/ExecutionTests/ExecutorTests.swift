import AllocationCounter
import GraphIR
import Operators
import Passes
import TensorCore
import Testing

@testable import Execution

/// Plans, runs, memory and limits on a small network with everything that the planner treats specially: a stem, a
/// residual block, heads that end channels-last in one output, a view and a constant output.
@Suite(.serialized) struct ExecutorTests {
    private func network(batch: Dim = .known(1)) throws -> ModelGraph {
        var b = GraphBuilder()
        let image = b.input("image", [batch, .known(3), .known(20), .known(24)])
        func conv(_ input: ValueID, _ k: Int, _ c: Int, _ size: Int, seed: UInt64, stride: Int = 1) throws -> ValueID {
            let weight = try b.constant(
                "w\(seed)", noise(k * c * size * size, seed: seed).map { $0 * 0.2 }, [k, c, size, size])
            let bias = try b.constant("b\(seed)", noise(k, seed: seed + 1000), [k])
            let pad = size / 2
            return b.node(
                "Conv", [input, weight, bias],
                [
                    "pads": .ints([pad, pad, pad, pad]), "strides": .ints([stride, stride]),
                    "kernel_shape": .ints([size, size]),
                ])
        }
        let stem = b.node("Relu", [try conv(image, 32, 3, 3, seed: 1, stride: 2)])
        let inner = b.node("Relu", [try conv(stem, 32, 32, 3, seed: 2)])
        let block = b.node("Relu", [b.node("Add", [try conv(inner, 32, 32, 1, seed: 3), stem])])
        let half = b.node("MaxPool", [block], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        var heads: [ValueID] = []
        for (level, map) in [block, half].enumerated() {
            let head = try conv(map, 21, 32, 3, seed: 10 + UInt64(level))
            let moved = b.node("Transpose", [head], ["perm": .ints([0, 2, 3, 1])])
            let shape = try b.constant("shape\(level)", [Int64(0), -1, 7], [3])
            heads.append(b.node("Reshape", [moved, shape]))
        }
        b.output(b.node("Concat", heads, ["axis": .int(1)]))
        b.output(b.node("GlobalAveragePool", [block]))
        b.output(try b.constant("priors", noise(8, seed: 5), [2, 4]))
        return b.model()
    }

    private func image(batch: Int = 1, seed: UInt64 = 99) throws -> Tensor {
        try Tensor(noise(batch * 3 * 20 * 24, seed: seed), dims: [batch, 3, 20, 24])
    }

    private func relativeDifference(_ a: Tensor, _ b: Tensor) throws -> Float {
        let (x, y): ([Float], [Float]) = (try a.array(), try b.array())
        #expect(a.shape == b.shape)
        let scale = y.map(abs).max() ?? 1
        return zip(x, y).map { abs($0 - $1) }.max().map { $0 / scale } ?? 0
    }

    @Test func optimizedEqualsUnoptimized() throws {
        let model = try network()
        let fast = try GraphExecutor(model, options: ExecutionOptions(threads: 2))
        let plain = try GraphExecutor(model, options: ExecutionOptions(threads: 2, disabledPasses: Set(Pipeline.names)))
        let feeds = [try image()]
        for (a, b) in zip(try fast.run(feeds), try plain.run(feeds)) {
            // Fused arithmetic rounds in another order over at most 288 products.
            #expect(try relativeDifference(a, b) < 1e-5)
        }
    }

    @Test func everyPassCanBeLeftOut() throws {
        let model = try network()
        let reference = try GraphExecutor(model, options: ExecutionOptions(threads: 1)).run([try image()])
        for pass in Pipeline.names {
            let outputs = try GraphExecutor(model, options: ExecutionOptions(threads: 1, disabledPasses: [pass])).run([
                try image()
            ])
            for (a, b) in zip(outputs, reference) { #expect(try relativeDifference(a, b) < 1e-5, "without \(pass)") }
        }
    }

    @Test func headsLandInTheirOutput() throws {
        let executor = try GraphExecutor(try network(), options: ExecutionOptions(threads: 1))
        let plan = try executor.plan(for: [Shape([1, 3, 20, 24])])
        let operators = plan.steps.map(\.node.opType)
        #expect(!operators.contains("Transpose") && !operators.contains("Reshape") && !operators.contains("Concat"))
        #expect(!operators.contains("Relu") && !operators.contains("Add"))
        #expect(plan.steps.filter { $0.outputs.contains { $0?.base == .result(0) } }.count == 2)
    }

    @Test func sameBitsForEveryThreadCountAndRepetition() throws {
        let model = try network()
        let feeds = [try image()]
        let reference: [Float] = try GraphExecutor(model, options: ExecutionOptions(threads: 1)).run(feeds)[0].array()
        for threads in [1, 2, 4] {
            let executor = try GraphExecutor(model, options: ExecutionOptions(threads: threads))
            for _ in 0..<3 { #expect(try executor.run(feeds)[0].array(of: Float.self) == reference) }
        }
    }

    @Test func batchesAgreeWithSinglePictures() throws {
        let executor = try GraphExecutor(try network(batch: .symbol("n")), options: ExecutionOptions(threads: 2))
        let first = try executor.run([try image(seed: 1)])
        let second = try executor.run([try image(seed: 2)])
        let both = try executor.run([
            try Tensor(noise(1440, seed: 1) + noise(1440, seed: 2), dims: [2, 3, 20, 24])
        ])
        let joined: [Float] = try first[0].array() + second[0].array(of: Float.self)
        let expected = try Tensor(joined, dims: both[0].shape.dims)
        #expect(try relativeDifference(both[0], expected) < 1e-5)
        #expect(try executor.run([try Tensor([Float](), dims: [0, 3, 20, 24])])[0].shape.dims[0] == 0)
    }

    /// With one thread all work is the counted thread's.
    @Test(arguments: [1, 2]) func aPlannedRunAllocatesNothing(threads: Int) throws {
        let executor = try GraphExecutor(try network(), options: ExecutionOptions(threads: threads))
        let feeds = [try image()]
        let plan = try executor.plan(for: feeds.map(\.shape))
        let results = try plan.results.map { result in
            try Tensor(dtype: result.info.dtype, shape: result.info.shape) { (_) throws(SardonyxError) in }
        }
        for _ in 0..<3 { try executor.runSteps(of: plan, feeds, results) }
        allocation_counter_start()
        for _ in 0..<10 { try executor.runSteps(of: plan, feeds, results) }
        let count = allocation_counter_stop()
        #expect(count == 0)
        allocation_counter_start()
        _ = try Buffer(byteCount: 64)
        #expect(allocation_counter_stop() > 0, "the counter must see allocations")
    }

    @Test func runsMayGoOnAtOnce() async throws {
        let executor = try GraphExecutor(try network(), options: ExecutionOptions(threads: 2))
        let feeds = [try image()]
        let reference: [Float] = try executor.run(feeds)[0].array()
        let agree = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<20).allSatisfy { _ in (try? executor.run(feeds)[0].array(of: Float.self)) == reference }
                }
            }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(agree)
    }

    @Test func aPassedDeadlineAndCancellationStopTheRun() throws {
        let executor = try GraphExecutor(try network(), options: ExecutionOptions(threads: 1))
        let late = RunControl(deadline: ContinuousClock.now)
        #expect { try executor.run([try image()], interruption: late) } throws: {
            ($0 as? SardonyxError)?.code == .deadline
        }
        let cancelled = RunControl(deadline: nil, isCancelled: { true })
        #expect { try executor.run([try image()], interruption: cancelled) } throws: {
            ($0 as? SardonyxError)?.code == .cancelled
        }
        _ = try executor.run([try image()])
    }

    @Test func aPlanAboveTheBudgetIsRefused() throws {
        let options = ExecutionOptions(threads: 1, budget: MemoryBudget(byteCount: 10_000))
        #expect { try GraphExecutor(try network(), options: options) } throws: {
            ($0 as? SardonyxError)?.code == .limit
        }
    }

    @Test func plansAreKeptForTheLastShapes() throws {
        let executor = try GraphExecutor(
            try network(batch: .symbol("n")), options: ExecutionOptions(threads: 1, planCapacity: 2))
        let one = try executor.plan(for: [Shape([1, 3, 20, 24])])
        _ = try executor.plan(for: [Shape([2, 3, 20, 24])])
        #expect(try executor.plan(for: [Shape([1, 3, 20, 24])]) === one)
        _ = try executor.plan(for: [Shape([3, 3, 20, 24])])
        #expect(try executor.plan(for: [Shape([1, 3, 20, 24])]) === one)
    }

    @Test func shapesThatDependOnDataRunAfterThePlan() throws {
        var b = GraphBuilder()
        let x = b.input("x", [.known(6)])
        let positive = b.node("Relu", [x])
        let indices = b.node("NonZero", [positive])
        b.output(b.node("Gather", [positive, b.node("Squeeze", [indices])]))
        let executor = try GraphExecutor(b.model(), options: ExecutionOptions(threads: 1))
        let output = try executor.run([try Tensor([-1, 2, 0, 3, -4, 5] as [Float], dims: [6])])[0]
        #expect(try output.array(of: Float.self) == [2, 3, 5])
    }

    private func agrees(_ build: (inout GraphBuilder, ValueID) throws -> ValueID, _ x: Tensor) throws -> [Float] {
        var b = GraphBuilder()
        let input = b.input("x", x.shape.dims.map(Dim.known))
        b.output(try build(&b, input))
        let off = ExecutionOptions(threads: 1, disabledPasses: Set(Pipeline.names))
        let plain = try GraphExecutor(b.model(), options: off).run([x])[0].array(of: Float.self)
        let fused = try GraphExecutor(b.model(), options: ExecutionOptions(threads: 1)).run([x])[0].array(
            of: Float.self)
        #expect(plain.map(\.description) == fused.map(\.description))
        return fused
    }

    /// A variance of 0 makes a scale of ∞, with which a weight of 0 would become NaN and with it every output.
    @Test func aNormalisationWithoutAFiniteScaleIsNotFolded() throws {
        let x = try Tensor([-1, -2, -3, -4, 5, 6, 7, 8] as [Float], dims: [1, 2, 2, 2])
        let y = try agrees(
            { b, input in
                let w = try b.constant("w", [1, 0, 0, 1] as [Float], [2, 2, 1, 1])
                let scale = try b.constant("scale", [1, 1] as [Float], [2])
                let shift = try b.constant("shift", [0, 0] as [Float], [2])
                let mean = try b.constant("mean", [1, 0] as [Float], [2])
                let variance = try b.constant("variance", [0, 1] as [Float], [2])
                return b.node(
                    "BatchNormalization", [b.node("Conv", [input, w]), scale, shift, mean, variance],
                    ["epsilon": .float(0)])
            }, x)
        let expected: [Float] = [-.infinity, -.infinity, -.infinity, -.infinity, 5, 6, 7, 8]
        #expect(y == expected)
    }

    /// The internal MatMul has an attribute of that name; the standard's does not.
    @Test func anUnknownAttributeGetsNoMeaningByFusion() throws {
        let x = try Tensor([1, 2, 3, -4] as [Float], dims: [2, 2])
        let y = try agrees(
            { b, input in
                let w = try b.constant("w", [1, 0, 0, 1] as [Float], [2, 2])
                let bias = try b.constant("bias", [-2, -2] as [Float], [2])
                let relu: Attribute = .string(Array("Relu".utf8))
                return b.node("Add", [b.node("MatMul", [input, w], ["activation": relu]), bias])
            }, x)
        #expect(y == [-1, 0, 1, -6])
    }

    @Test func aClipWithoutBoundsKeepsInfinities() throws {
        let x = try Tensor([1, .infinity, -.infinity, -4] as [Float], dims: [1, 1, 2, 2])
        let y = try agrees(
            { b, input in
                b.node("Clip", [b.node("Conv", [input, try b.constant("w", [1] as [Float], [1, 1, 1, 1])])])
            }, x)
        #expect(y == [1, .infinity, -.infinity, -4])
    }
}
