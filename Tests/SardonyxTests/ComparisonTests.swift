import Sardonyx
import TestSupport
import Testing

/// Comparisons of x [2] → Mul by w (node `scale`, value `s`) → Add of b (`shift`, `t`) → Abs (`size`, `a`) →
/// Add of s (`join`, `y`). With x = [1, −2], w = [3, 3], b = [1, 1]: s = [3, −6], t = [4, −5], a = [4, 5], y = [7, −1].
@Suite struct ComparisonTests {
    private func network(w: [Float] = [3, 3], b: [Float] = [1, 1], size: String = "Abs") throws -> Model {
        let nodes = [
            node("Mul", ["x", "w"], ["s"], .text(3, "scale")), node("Add", ["s", "b"], ["t"], .text(3, "shift")),
            node(size, ["t"], ["a"], .text(3, "size")), node("Add", ["a", "s"], ["y"], .text(3, "join")),
        ]
        let weights = [
            tensor("w", dims: [2], .bytes(9, little(w))), tensor("b", dims: [2], .bytes(9, little(b))),
        ]
        let signature: Message = [
            .message(11, value("x", extents: [.int(1, 2)])), .message(12, value("y", extents: [.int(1, 2)])),
        ]
        return try Model(bytes: model(graph(nodes, initializers: weights, more: signature)))
    }

    private func plain(_ model: Model) -> ModelRun { ModelRun(model, isOptimized: false) }

    private let inputs = Result { ["x": try Tensor([1, -2] as [Float], dims: [2])] }

    private func recording(_ values: [String: [Float]]) throws -> ComparisonReference {
        .recording(Recording(try values.mapValues { try Tensor($0, dims: [$0.count]) }))
    }

    @Test func aRecordingByHandAgrees() throws {
        let reference = try recording(["s": [3, -6], "t": [4, -5], "a": [4, 5], "y": [7, -1]])
        for side in [plain(try network()), ModelRun(try network())] {
            let found = try side.compare(to: reference, inputs: inputs.get())
            #expect(found.isWithin && found.firstDivergence == nil && found.outputs.map(\.value) == ["y"])
            #expect(found.outputs.first?.error?.maxAbsolute == 0)
        }
        let found = try plain(try network()).compare(to: reference, inputs: inputs.get())
        #expect(found.rows.map(\.value) == ["s", "t", "a", "y"])
        #expect(
            found.rows.map(\.node) == ["scale", "shift", "size", "join"] && found.rows.map(\.step) == [0, 1, 2, 3])
        #expect(found.unmatched.isEmpty && found.notInReference.isEmpty)
    }

    /// b = [1, 2] makes t = [4, −4]; what follows is wrong, too, but begins there.
    @Test func theFirstDivergenceIsTheNodeThatWasChanged() throws {
        let faulty = plain(try network(b: [1, 2]))
        let found = try faulty.compare(to: .run(plain(try network())), inputs: inputs.get())
        #expect(!found.isWithin && found.beyond.map(\.value) == ["t", "a", "y"])
        let begin = try #require(found.firstDivergence)
        #expect(begin.node == "shift" && begin.operatorName == "Add" && begin.step == 1)
        let worst = try #require(begin.outputs.first?.error?.worst)
        #expect(worst.index == [1] && worst.actual == -4 && worst.reference == -5)
        #expect(begin.others.isEmpty && begin.suspects.isEmpty)
        let kinds = Dictionary(begin.inputs.map { ($0.value, $0.kind) }) { first, _ in first }
        #expect(kinds == ["s": .compared, "b": .constant])
        // The weights say why: 2 for 1.
        #expect(begin.inputs.first { $0.value == "b" }?.error?.maxAbsolute == 1)
    }

    /// The values of the first of two faults do not hide the second when every node reads the reference's.
    @Test func resetShowsEveryFaultAlone() throws {
        let faulty = plain(try network(w: [3, 4], size: "Neg"))
        let reference = ComparisonReference.run(plain(try network()))
        let cumulative = try faulty.compare(to: reference, inputs: inputs.get())
        #expect(cumulative.firstDivergence?.node == "scale" && cumulative.beyond.count == 4)
        let options = ComparisonOptions(resetsInputs: true)
        let alone = try faulty.compare(to: reference, inputs: inputs.get(), options: options)
        // Neg of the reference's t = [4, −5] is [−4, 5], for [4, 5].
        #expect(alone.beyond.map(\.node) == ["scale", "size"] && alone.resetsInputs)
        let worst = try #require(alone.beyond.last?.error?.worst)
        #expect(worst.index == [0] && worst.actual == -4 && worst.reference == 4)
        #expect(alone.firstDivergence?.others.count == 1)
    }

    /// Only y is known: every node before it may be the one.
    @Test func nodesThatCannotBeComparedAreSuspects() throws {
        let faulty = plain(try network(b: [1, 2]))
        let found = try faulty.compare(to: try recording(["y": [7, -1]]), inputs: inputs.get())
        let begin = try #require(found.firstDivergence)
        #expect(begin.node == "join" && begin.suspects.count == 3)
        #expect(found.notInReference == ["s", "t", "a"])
    }

    @Test func namesMayDiffer() throws {
        let reference = try recording(["theirs": [7, -1], "unknown": [1]])
        #expect(throws: SardonyxError.self) {
            try plain(try network()).compare(to: reference, inputs: inputs.get())
        }
        let options = ComparisonOptions(names: ["y": "theirs"])
        let found = try plain(try network()).compare(to: reference, inputs: inputs.get(), options: options)
        #expect(found.isWithin && found.rows.first?.referenceName == "theirs")
        #expect(found.unmatched.map(\.value) == ["unknown"] && found.unmatched.first?.reason == .absent)
        let wrong = #expect(throws: SardonyxError.self) {
            try plain(try network()).compare(
                to: reference, inputs: inputs.get(), options: ComparisonOptions(names: ["y": "their"]))
        }
        #expect(wrong?.code == .usage && wrong?.description.contains("'theirs'") == true)
    }

    @Test func otherShapesAreBeyondTolerance() throws {
        let found = try plain(try network()).compare(to: try recording(["y": [7, -1, 0]]), inputs: inputs.get())
        #expect(!found.isWithin && found.rows.first?.error == nil)
        #expect(found.rows.first?.note == "shape [2], in the reference [3]")
    }

    /// Log of t = [4, −5] makes NaN, which y has, too.
    @Test func notFiniteNumbersAreFollowedToTheirOrigin() throws {
        for side in [plain(try network(size: "Log")), ModelRun(try network(size: "Log"))] {
            let report = try side.huntNotFinite(inputs: inputs.get())
            let origin = try #require(report.origins.first)
            #expect(report.origins.count == 1 && report.affectedCount == 2 && !report.isFinite)
            #expect(origin.kind == .nan && origin.node == "size" && origin.value == "a")
            #expect(origin.contents.nan == 1 && origin.contents.first == 1 && origin.contents.count == 2)
            #expect(origin.inputs.first?.contents.minimum == -5)
        }
        #expect(try plain(try network()).huntNotFinite(inputs: inputs.get()).isFinite)
        let given = try plain(try network()).huntNotFinite(
            inputs: ["x": Tensor([.nan, 0] as [Float], dims: [2])])
        #expect(given.origins.map(\.kind) == [.given] && given.origins.first?.value == "x")
        let weight = try plain(try network(w: [.infinity, 1])).huntNotFinite(inputs: inputs.get())
        #expect(weight.origins.first?.kind == .given && weight.origins.first?.value == "w")
    }

    @Test func memoryThatBothTakeIsBounded() throws {
        let limited = ModelRun(try network(), options: SessionOptions(memoryLimit: 20), isOptimized: false)
        let fault = #expect(throws: SardonyxError.self) {
            try limited.compare(to: .run(plain(try network())), inputs: inputs.get())
        }
        #expect(fault?.code == .limit)
    }

    @Test func kernelsThatTheMachineLacksAreRefused() throws {
        let fault = #expect(throws: SardonyxError.self) {
            try ModelRun(try network(), instructionSet: "sse9").compare(
                to: try recording(["y": [7, -1]]), inputs: inputs.get())
        }
        #expect(fault?.code == .usage)
        let scalar = ModelRun(try network(), instructionSet: "scalar")
        #expect(try ModelRun(try network()).compare(to: .run(scalar), inputs: inputs.get()).isWithin)
    }

    // MARK: Objects

    private func instance(_ index: Int, _ score: Float, _ box: [Float]) -> Instance {
        Instance(
            classIndex: index, label: "class \(index)", categoryID: index + 1, score: score,
            box: Box(x1: Int(box[0]), y1: Int(box[1]), x2: Int(box[2]), y2: Int(box[3])),
            exactBox: Box(x1: box[0], y1: box[1], x2: box[2], y2: box[3]), mask: nil)
    }

    @Test func objectsAreMatchedByClassAndOverlap() throws {
        let mine = Instances(
            [
                instance(0, 0.9, [0, 0, 10, 10]), instance(1, 0.8, [20, 20, 30, 30]),
                instance(0, 0.7, [50, 50, 60, 60]),
            ],
            imageWidth: 100, imageHeight: 100)
        let theirs = Instances(
            [
                instance(0, 0.85, [0, 0, 10, 8]), instance(0, 0.8, [0, 0, 10, 9.5]),
                instance(2, 0.8, [20, 20, 30, 30]),
            ], imageWidth: 100, imageHeight: 100)
        let matching = try InstanceMatching(mine, theirs)
        let pair = try #require(matching.pairs.first)
        // The second overlaps more: 95 of 100, against 80 of 100.
        #expect(matching.pairs.count == 1 && pair.rank == 0 && pair.referenceRank == 1)
        #expect(abs(pair.boxIoU - 0.95) < 1e-6 && pair.boxDifference == 0.5)
        #expect(abs(pair.scoreDifference - 0.1) < 1e-6 && pair.maskIoU == nil)
        #expect(matching.lone.map(\.rank) == [1, 2] && matching.referenceLone.map(\.rank) == [0, 2])
        #expect(!matching.isWithin)
        #expect(try InstanceMatching(mine, mine).isWithin)
    }
}
