import GraphIR
import Synchronization
import TensorCore
import Testing

@testable import Operators

/// Extents from a file or from data that ask for more memory or time than there is: no table, list or loop grows
/// with an extent before the budget has been asked, and long ones stop when they are told to.
@Suite struct HostileExtentTests {
    /// Counts how often it is asked, and stops whoever asks more often than allowed.
    private final class Alarm: Interruption {
        let asked = Mutex(0)
        let allowed: Int

        init(after allowed: Int = .max) { self.allowed = allowed }

        func check() throws(SardonyxError) {
            let count = asked.withLock { count in
                count += 1
                return count
            }
            if count > allowed { throw SardonyxError(.deadline, "test", "stopped") }
        }
    }

    private func empty(_ dims: [Int]) throws -> Tensor { try floats([], dims) }

    /// Expected: numpy.pad(x, …, mode=…), with numpy slices for negative pads.
    @Test(arguments: [
        ("edge", [0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5]),
        ("reflect", [5, 4, 3, 4, 5, 4, 2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4]),
        ("wrap", [4, 5, 3, 4, 5, 3, 1, 2, 0, 1, 2, 0, 4, 5, 3, 4, 5, 3]),
    ]) func repeatingPads(mode: String, values: [Int]) throws {
        let x = try floats((0..<6).map(Float.init), [2, 3])
        let runner = NodeRunner("Pad", ["mode": .string(Array(mode.utf8))])
        let padded = try runner.run(x, try ints([1, 2, 0, 1]))[0]
        #expect(padded?.shape.dims == [3, 6])
        #expect(try padded?.array(of: Float.self) == values.map(Float.init))
        let cut = try runner.runUnplanned([x, try ints([0, -1, 0, 0])])[0]
        #expect(try cut?.array(of: Float.self) == [1, 2, 4, 5])
    }

    @Test(arguments: ["edge", "reflect", "wrap"]) func padsOfEmptyTensors(mode: String) throws {
        let runner = NodeRunner("Pad", ["mode": .string(Array(mode.utf8))])
        let wide = try runner.run(try empty([0, 1 << 40]), try ints([0, 1, 0, 2]))[0]
        #expect(wide?.shape.dims == [0, (1 << 40) + 3])
        #expect(runner.fault(try floats([1, 2], [1, 2]), try ints([0, 0, 0, 1 << 40]))?.code != nil)
    }

    @Test func longPadsAreStopped() throws {
        let node = Node(
            name: "n", opType: "Pad", inputs: [ValueID(0), ValueID(1)], outputs: [ValueID(2)],
            attributes: ["mode": .string(Array("wrap".utf8))])
        let error = #expect(throws: SardonyxError.self) {
            try Evaluator().outputs(
                of: node, opset: 21, inputs: [try floats([1, 2]), try ints([0, 1 << 20])],
                interruption: Alarm(after: 2))
        }
        #expect(error?.code == .deadline)
    }

    @Test(arguments: ["nearest", "linear", "cubic"]) func resizeTables(mode: String) throws {
        let runner = NodeRunner("Resize", ["mode": .string(Array(mode.utf8))])
        let x = try floats([1, 2, 3, 4], [1, 1, 1, 4])
        let none = try floats([])
        // 800,000 bytes of output are within the budget of 2^20, its tables are not.
        let error = runner.fault(x, none, try floats([1, 1, 1, 50_000]))
        #expect(error?.code == .limit, "\(mode)")
        #expect(runner.fault(x, none, try floats([1, 1, 1, 1000])) == nil)
    }

    /// An antialiasing filter as wide as its input: few outputs, large tables.
    @Test func resizeFilters() throws {
        let runner = NodeRunner("Resize", ["mode": .string(Array("linear".utf8)), "antialias": .int(1)])
        let x = try floats([Float](repeating: 1, count: 100_000), [1, 1, 1, 100_000])
        #expect(runner.fault(x, try floats([]), try floats([1, 1, 1, 2e-5]))?.code == .limit)
    }

    @Test func uniqueSlices() throws {
        let runner = NodeRunner("Unique", outputs: 4, ["axis": .int(0)])
        #expect(runner.fault(try empty([1 << 40, 0]))?.code == .limit)
        let few = try runner.run(try empty([3, 0]))
        #expect(try few[2]?.array(of: Int64.self) == [0, 0, 0])
    }

    @Test func rowOffsets() throws {
        let x = try floats([Float](repeating: 1, count: 70_000), [70_000, 1, 1, 1])
        #expect(NodeRunner("MeanVarianceNormalization").fault(x)?.code == .limit)
    }

    @Test func emptyProducts() throws {
        let product = try NodeRunner("MatMul").run(try empty([1 << 40, 0, 3]), try empty([1 << 40, 3, 0]))[0]
        #expect(product?.shape.dims == [1 << 40, 0, 0])
    }

    @Test func windowsOfEmptyBatches() throws {
        let runner = NodeRunner("AveragePool", ["kernel_shape": .ints([2])])
        #expect(try runner.run(try empty([0, 1, 1 << 40]))[0]?.shape.dims == [0, 1, (1 << 40) - 1])
    }

    @Test func classesWithoutBoxes() throws {
        let selected = try NodeRunner("NonMaxSuppression").run(
            try empty([1, 0, 4]), try empty([1, 1 << 40, 0]), try ints([5]))[0]
        #expect(selected?.shape.dims == [0, 3])
    }

    /// 3,000 boxes that do not overlap are compared 4.5 million times within one class.
    @Test func longSuppressionIsStopped() throws {
        let corners = (0..<3000).flatMap { index -> [Float] in
            let left = Float(2 * index)
            return [left, 0, left + 1, 1]
        }
        let node = Node(
            name: "n", opType: "NonMaxSuppression", inputs: (0..<4).map { ValueID($0) }, outputs: [ValueID(4)])
        let inputs: [Tensor?] = [
            try floats(corners, [1, 3000, 4]), try floats((0..<3000).map(Float.init), [1, 1, 3000]),
            try ints([3000]), try floats([0.5]),
        ]
        let alarm = Alarm()
        let all = try Evaluator().outputs(of: node, opset: 11, inputs: inputs, interruption: alarm)
        #expect(all[0]?.shape.dims == [3000, 3])
        #expect(alarm.asked.withLock { $0 } > 6)
        let error = #expect(throws: SardonyxError.self) {
            try Evaluator().outputs(of: node, opset: 11, inputs: inputs, interruption: Alarm(after: 6))
        }
        #expect(error?.code == .deadline)
    }
}
