import Foundation
import Sardonyx
import TestSupport
import Testing

/// Looking into models that cannot run: x float32[4] → Mystery of no known domain → Add of a weight whose file is not
/// there → Rleu, which no operator set has.
@Suite struct MissingDataTests {
    private static func open(_ initializers: [Message], tolerates: Bool = true) throws -> Model {
        let nodes = [
            node("Mystery", ["x"], ["m"], .text(7, "acme")), node("Add", ["m", "w"], ["a"]),
            node("Mul", ["v", "v"], ["b"]), node("Sum", ["a", "b"], ["s"]), node("Rleu", ["s"], ["y"]),
        ]
        let signature: Message = [
            .message(11, value("x", extents: [.int(1, 4)])), .message(12, value("y", extents: [.int(1, 4)])),
        ]
        let bytes = model(
            graph(nodes, initializers: initializers, more: signature), more: .message(8, .text(1, "acme") + .int(2, 1)))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("sardonyx-\(UUID().uuidString).onnx")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try Model(contentsOf: file.path, toleratesMissingData: tolerates)
    }

    private static let entries = [("location", "nowhere.bin")]
    private static let absent = [
        externalTensor(entries), tensor("v", dims: [4], .bytes(9, little([1, 2, 3, 4]))),
    ]
    private static let present = [
        tensor("w", dims: [4], .bytes(9, little([5, 6, 7, 8]))),
        tensor("v", dims: [4], .bytes(9, little([1, 2, 3, 4]))),
    ]

    @Test func theReportSaysWhatIsMissing() throws {
        let report = try Self.open(Self.absent).report()
        #expect(report.nodes.map(\.operatorName) == ["Mystery", "Add", "Mul", "Sum", "Rleu"])
        #expect(report.parameterCount == 8)
        // What is around the gap is known: a constant product, and its sum with a value that is not.
        #expect(report.nodes[2].outputs[0]?.type == "float32[4]")
        #expect(report.problems.count == 3)
        #expect(report.problems.contains { $0.contains("acme") && $0.contains("Mystery") })
        #expect(report.problems.contains { $0.contains("Rleu") })
        #expect(report.problems.contains { $0.hasPrefix("external: initializer 'w'") && $0.contains("nowhere.bin") })
    }

    @Test func picturesAndWeightsLeaveTheGapOpen() throws {
        let model = try Self.open(Self.absent)
        let picture = try model.picture()
        #expect(picture.plan == nil && picture.graph.nodes.count == 5)
        #expect(picture.weights.count == 1)
        #expect(picture.problems.filter { $0.hasPrefix("external") }.count == 1)
        let weights = model.weights()
        #expect(weights.map(\.name) == ["w", "v"] && weights.map(\.byteCount) == [16, 16])
        #expect(weights[0].report == nil && weights[0].warnings.first?.contains("nowhere.bin") == true)
        #expect(weights[1].report != nil)
    }

    @Test func aMissingWeightIsNoDifferenceAndNotAlike() throws {
        let difference = try Self.open(Self.absent).difference(to: try Self.open(Self.present))
        #expect(difference.commonNodeCount == 5 && difference.changedNodes.isEmpty && difference.changedWeights.isEmpty)
        #expect(difference.unreadableWeights == ["w"] && difference.commonWeightCount == 1)
        #expect(!difference.isSameGraph)
    }

    @Test func itDoesNotRun() throws {
        let strict = try #require(throws: SardonyxError.self) { try Self.open(Self.absent, tolerates: false) }
        #expect(strict.code == .external)
        let model = try Self.open(Self.absent)
        let error = try #require(throws: SardonyxError.self) { try model.session() }
        #expect(error.code == .external && error.description.contains("nowhere.bin"))
        #expect(try #require(throws: SardonyxError.self) { try model.report(after: "fold-constants") } == error)
    }
}
