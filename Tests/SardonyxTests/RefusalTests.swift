import Sardonyx
import TestSupport
import Testing

/// Models that are refused when a session is made or, for sizes that come with data, when it runs.
@Suite struct RefusalTests {
    private func failure(_ bytes: [UInt8], _ options: SessionOptions = SessionOptions()) throws -> SardonyxError {
        let model = try Model(bytes: bytes)
        return try #require(throws: SardonyxError.self) { try model.session(options) }
    }

    @Test func allMissingOperatorsAreNamed() throws {
        let nodes = [
            node("Conw", ["x"], ["p"]), node("Relu", ["p"], ["q"]), node("Conw", ["q"], ["r"]),
            node("Frobnicate", ["r"], ["y"]),
        ]
        let error = try failure(model(graph(nodes, inputs: ["x"], outputs: ["y"])))
        #expect(error.code == .unsupported)
        for part in ["Conw (opset 18) ×2", "Frobnicate (opset 18) ×1", "Nearest to Conw: Conv"] {
            #expect(error.description.contains(part), "\(part) in \(error)")
        }
    }

    @Test func hostileCountsOfMissingOperatorsStayReadable() throws {
        let nodes = (0..<20_000).map { node("Op\($0)", ["x"], ["y\($0)"]) }
        let error = try failure(model(graph(nodes, inputs: ["x"], outputs: ["y0"])))
        #expect(error.code == .unsupported && error.message.utf8.count < 16_384)
        #expect(error.message.contains("20000 operators"))
    }

    /// Extents with a product of 2^40 elements, given as a constant: refused with the model, not allocated.
    @Test func constantSizesBeyondTheBudget() throws {
        let shape = tensor("s", dtype: 7, dims: [2], .int(7, 1 << 20), .int(7, 1 << 20))
        let nodes = [node("ConstantOfShape", ["s"], ["y"])]
        let open = Message.message(12, value("y", extents: nil))
        let limit = try failure(model(graph(nodes, initializers: [shape], more: open)))
        #expect(limit.code == .limit && limit.description.contains("\(1 << 42) bytes"))
    }

    @Test func sizesFromDataBeyondTheBudget() throws {
        let more = .message(11, value("s", dtype: 7, extents: [.int(1, 1)])) + .message(12, value("y", extents: nil))
        let bytes = model(graph([node("ConstantOfShape", ["s"], ["y"])], more: more))
        let session = try Model(bytes: bytes).session(SessionOptions(memoryLimit: 1 << 20))
        for (count, code) in [(1 << 40, SardonyxError.Code.limit), (1 << 20, .limit), (-1, .shape)] {
            let error = try #require(throws: SardonyxError.self) {
                try session.run(["s": Tensor([Int64(count)], dims: [1])])
            }
            #expect(error.code == code)
        }
        let outputs = try session.run(["s": Tensor([Int64(1024)], dims: [1])])
        #expect(try outputs["y"]?.array(of: Float.self) == [Float](repeating: 0, count: 1024))
    }

    @Test func plansStayWithinTheBudget() throws {
        let nodes = [node("Relu", ["x"], ["y"])]
        let more = .message(11, value("x", extents: [.int(1, 1024)])) + .message(12, value("y", extents: nil))
        let bytes = model(graph(nodes, more: more))
        let error = try failure(bytes, SessionOptions(memoryLimit: 1024))
        #expect(error.code == .limit && error.description.contains("1024 bytes in all"))
        #expect(throws: Never.self) { try Model(bytes: bytes).session(SessionOptions(memoryLimit: 4096)) }
    }

    /// What a plan would prepare (here tables as long as the output) is not made before the budget is asked.
    @Test(arguments: ["Pad", "Resize"]) func preparationWithinTheBudget(op: String) throws {
        let mode: Message = .message(5, [.text(1, "mode"), .text(4, op == "Pad" ? "edge" : "linear"), .int(20, 3)])
        let pads = tensor("p", dtype: 7, dims: [8], .bytes(7, [0, 0, 0, 0, 0, 0, 0] + Message.varint(1 << 34)))
        let scales = tensor("s", dims: [4], .bytes(9, little([1, 1, 1, 1e10])))
        let more: Message =
            .message(11, value("x", extents: [Message](repeating: .int(1, 4), count: 4)))
            + .message(12, value("y", extents: nil))
        let bomb = node(op, op == "Pad" ? ["x", "p"] : ["x", "", "s"], ["y"], mode)
        let error = try failure(model(graph([bomb], initializers: [op == "Pad" ? pads : scales], more: more)))
        #expect(error.code == .limit && error.description.contains("bytes in all"), "\(error)")
    }

    /// Long chains are planned in linear time; a deadline holds for planning, too.
    @Test func longChainsArePlannedOrGivenUp() throws {
        let count = 20_000
        let nodes = (0..<count).map { node($0 % 2 == 0 ? "Relu" : "Softmax", ["v\($0)"], ["v\($0 + 1)"]) }
        let more =
            .message(11, value("v0", extents: [.int(1, 64)])) + .message(12, value("v\(count)", extents: nil))
        let chain = try Model(bytes: model(graph(nodes, more: more)))
        let outputs = try chain.session().run(["v0": Tensor([Float](repeating: 1, count: 64), dims: [64])])
        #expect(try outputs["v\(count)"]?.array(of: Float.self).allSatisfy { abs($0 - 1 / 64) < 1e-6 } == true)
        let late = try #require(throws: SardonyxError.self) {
            try chain.session(limits: RunOptions(timeout: .milliseconds(1)))
        }
        #expect(late.code == .deadline)
    }

    @Test func declaredOutputsThatLie() throws {
        let input = Message.message(11, value("x", extents: [.int(1, 8)]))
        let shape = try failure(
            model(graph([node("Relu", ["x"], ["y"])], more: input + .message(12, value("y", extents: [.int(1, 4)])))))
        #expect(shape.code == .shape && shape.description.contains("[4] declared, allowed [8] inferred"))
        let type = try failure(
            model(
                graph(
                    [node("Relu", ["x"], ["y"])],
                    more: input + .message(12, value("y", dtype: 7, extents: [.int(1, 8)])))))
        #expect(type.code == .shape && type.description.contains("int64 declared, allowed float32 inferred"))
    }

    /// ONNX's shape inference counts a last window of `ceil_mode` that lies in the padding: onnx.shape_inference
    /// declares [1, 1, 3, 3] for this pool and [1, 1, 3, 3] for the Relu behind it; ONNX Runtime computes [1, 1, 2, 2].
    @Test(arguments: [false, true]) func declaredOutputsOfRoundedUpPools(behind: Bool) throws {
        func ints(_ name: String, _ values: [Int]) -> Message {
            .message(5, [.text(1, name), .int(20, 7)] + values.reduce(Message()) { $0 + .int(8, $1) })
        }
        let attributes =
            ints("kernel_shape", [2, 2]) + ints("strides", [3, 3]) + ints("pads", [1, 1, 1, 1])
            + .message(5, [.text(1, "ceil_mode"), .int(3, 1), .int(20, 2)])
        let nodes = [node("MaxPool", ["x"], ["p"], attributes), node("Relu", ["p"], ["r"])]
        func bytes(declared: Int) -> [UInt8] {
            let output = value(
                behind ? "r" : "p", extents: [.int(1, 1), .int(1, 1), .int(1, declared), .int(1, declared)])
            let input = value("x", extents: [.int(1, 1), .int(1, 1), .int(1, 5), .int(1, 5)])
            return model(graph(nodes, more: .message(11, input) + .message(12, output)))
        }
        for extent in [2, 3] {
            let x = try Tensor((0..<25).map(Float.init), dims: [1, 1, 5, 5])
            let y = try Model(bytes: bytes(declared: extent)).session().run(inOrder: [x])[0]
            #expect(y.shape.dims == [1, 1, 2, 2])
            #expect(try y.array(of: Float.self) == [0, 3, 15, 18])
        }
        #expect(try failure(bytes(declared: 4)).code == .shape)
    }

    @Test(arguments: [Int.min, -3, 3, Int.max])
    func legacyBroadcastAxisOutOfRange(axis: Int) throws {
        let attributes =
            .message(5, [.text(1, "axis"), .int(3, axis), .int(20, 2)])
            + Message.message(5, [.text(1, "broadcast"), .int(3, 1), .int(20, 2)])
        let extents: [Message] = [.int(1, 2), .int(1, 2)]
        let more =
            .message(11, value("a", extents: extents)) + Message.message(11, value("b", extents: [.int(1, 2)]))
            + .message(12, value("y", extents: nil))
        let error = try failure(model(graph([node("Add", ["a", "b"], ["y"], attributes)], more: more), opset: 6))
        #expect(error.code == .shape && error.description.contains("attribute axis; got \(axis), allowed -2 to 2"))
    }

    @Test func optionsOutOfRange() throws {
        let bytes = model(graph([node("Relu", ["x"], ["y"])], inputs: ["x"], outputs: ["y"]))
        for options in [
            SessionOptions(threads: 0), SessionOptions(threads: .max), SessionOptions(memoryLimit: 0),
            SessionOptions(disabledPasses: ["no-such-pass"]), SessionOptions(planCapacity: 0),
        ] {
            #expect(try failure(bytes, options).code == .usage)
        }
    }
}
