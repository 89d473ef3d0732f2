import Sardonyx
import TestSupport
import Testing

/// Names are bytes: composed and decomposed é are two names, though Swift's text takes them for one.
@Suite struct NameTests {
    private static let composed = "\u{e9}"
    private static let decomposed = "e\u{301}"
    private let vector: [Message] = [.int(1, 2)]

    private func session(_ inputs: [String], _ nodes: [Message], _ outputs: [String]) throws -> Session {
        let signature =
            inputs.reduce([]) { $0 + .message(11, value($1, extents: vector)) }
            + outputs.reduce(Message()) { $0 + .message(12, value($1, extents: nil)) }
        return try Model(bytes: model(graph(nodes, more: signature))).session()
    }

    private func tensor(_ values: Float...) throws -> Tensor { try Tensor(values, dims: [values.count]) }

    @Test func inputsAreToldApartByOrder() throws {
        let names = [Self.composed, Self.decomposed]
        let session = try session(names, [node("Sub", names, ["y"])], ["y"])
        let outputs = try session.run(inOrder: [try tensor(5, 7), try tensor(2, 3)])
        #expect(try outputs[0].array(of: Float.self) == [3, 4])
        let error = try #require(throws: SardonyxError.self) { try session.run([Self.composed: try tensor(5, 7)]) }
        #expect(error.code == .input && error.description.contains("run(inOrder:)"))
    }

    @Test func outputsAreToldApartByOrder() throws {
        let nodes = [node("Neg", ["x"], [Self.composed]), node("Abs", ["x"], [Self.decomposed])]
        let session = try session(["x"], nodes, [Self.composed, Self.decomposed])
        let outputs = try session.run(inOrder: [try tensor(-1, 2)])
        #expect(try outputs.map { try $0.array(of: Float.self) } == [[1, -2], [1, 2]])
        let error = try #require(throws: SardonyxError.self) { try session.run(["x": try tensor(-1, 2)]) }
        #expect(error.code == .input && error.description.contains("outputs"))
    }

    @Test func oneNameIsFoundInEitherForm() throws {
        let session = try session([Self.decomposed], [node("Neg", [Self.decomposed], ["y"])], ["y"])
        let outputs = try session.run([Self.composed: try tensor(1, 2)])
        #expect(try outputs["y"]?.array(of: Float.self) == [-1, -2])
    }

    @Test func wrongCountsAndShapesInOrder() throws {
        let session = try session(["x"], [node("Neg", ["x"], ["y"])], ["y"])
        for inputs in [[], [try tensor(1)], [try tensor(1, 2), try tensor(1, 2)]] {
            let error = try #require(throws: SardonyxError.self) { try session.run(inOrder: inputs) }
            #expect(error.code == .input && error.description.contains("x: float32[2]"))
        }
    }
}
