import GraphIR
import Passes
import TensorCore
import Testing

@testable import Execution

/// Channel shuffles as exporters spell them.
@Suite struct ChannelMoveTests {
    private func conv(_ b: inout GraphBuilder, _ x: ValueID, _ from: Int, _ to: Int, seed: UInt64) throws -> ValueID {
        b.node("Conv", [x, try b.constant("w\(seed)", noise(from * to, seed: seed), [to, from, 1, 1])])
    }

    private func shuffled(_ b: inout GraphBuilder, _ x: ValueID, _ n: Int, _ channels: Int, seed: Int) throws -> ValueID
    {
        func shape(_ name: String, _ dims: [Int]) throws -> ValueID {
            try b.constant("\(name)\(seed)", dims.map(Int64.init), [dims.count])
        }
        let cut = b.node("Reshape", [x, try shape("cut", [n, 2, channels / 2, 5, 3])])
        let moved = b.node("Transpose", [cut], ["perm": .ints([0, 2, 1, 3, 4])])
        return b.node("Reshape", [moved, try shape("join", [n, channels, 5, 3])])
    }

    /// Two units of ShuffleNet v2: halves, one of them convolved, joined and shuffled.
    private func units(images: Int, output: Bool) throws -> ModelGraph {
        var b = GraphBuilder()
        let x = b.input("x", [.known(images), .known(6), .known(5), .known(3)])
        let (left, right) = (try conv(&b, x, 6, 20, seed: 1), try conv(&b, x, 6, 20, seed: 2))
        var all = try shuffled(&b, b.node("Concat", [left, right], ["axis": .int(1)]), images, 40, seed: 0)
        for unit in 1...2 {
            func half(_ start: Int64) throws -> ValueID {
                b.node(
                    "Slice",
                    [
                        all, try b.constant("start\(unit)\(start)", [start], [1]),
                        try b.constant("end\(unit)\(start)", [start + 20], [1]),
                        try b.constant("axes\(unit)\(start)", [Int64(1)], [1]),
                    ])
            }
            let (kept, changed) = (try half(0), try conv(&b, try half(20), 20, 20, seed: UInt64(unit + 2)))
            all = try shuffled(&b, b.node("Concat", [kept, changed], ["axis": .int(1)]), images, 40, seed: unit)
        }
        b.output(output ? all : try conv(&b, all, 40, 8, seed: 9))
        return b.model()
    }

    @Test(arguments: [1, 2], [true, false]) func optimizedEqualsUnoptimized(_ images: Int, _ output: Bool) throws {
        let model = try units(images: images, output: output)
        let feed = try Tensor(noise(images * 90, seed: 3), dims: [images, 6, 5, 3])
        let fast = try GraphExecutor(model, options: ExecutionOptions(threads: 2))
        let plain = try GraphExecutor(model, options: ExecutionOptions(threads: 2, disabledPasses: Set(Pipeline.names)))
        let blockedOff = try GraphExecutor(
            model, options: ExecutionOptions(threads: 2, disabledPasses: [PropagateLayouts.name]))
        let expected: [Float] = try plain.run([feed])[0].array()
        for executor in [fast, blockedOff] {
            let result: [Float] = try executor.run([feed])[0].array()
            #expect(zip(result, expected).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
            let types = try executor.plan(for: [feed.shape]).steps.map(\.node.opType)
            // The last half of every unit's input, and what the units end with.
            #expect(types.filter { $0 == "GatherChannels" }.count == 3, "\(types)")
            #expect(!types.contains { ["Transpose", "Slice", "Concat", "Reshape"].contains($0) }, "\(types)")
        }
    }

    /// Halves in their order are no reason to gather.
    @Test func wholeRunsOfChannelsStayViews() throws {
        var b = GraphBuilder()
        let x = b.input("x", [.known(1), .known(32), .known(5), .known(3)])
        let joined = b.node(
            "Concat", [try conv(&b, x, 32, 16, seed: 1), try conv(&b, x, 32, 16, seed: 2)], ["axis": .int(1)])
        b.output(try conv(&b, joined, 32, 4, seed: 3))
        let executor = try GraphExecutor(b.model(), options: ExecutionOptions(threads: 1))
        let types = try executor.plan(for: [try Shape([1, 32, 5, 3])]).steps.map(\.node.opType)
        #expect(!types.contains("GatherChannels"))
    }
}
