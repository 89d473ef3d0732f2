import Sardonyx
import TestSupport
import Testing

/// What differs between small models, whose differences are known because they are made here.
@Suite struct ModelDifferenceTests {
    /// One layer: x → MatMul with w → activation.
    private struct Layer {
        var name: String
        /// The first weight; the others follow.
        var first: Float
        var scale: Float = 1
        var activation = "Relu"
        var alpha: Float?
    }

    private static func network(_ layers: [Layer], producer: String = "") throws -> Model {
        var nodes: [Message] = []
        var weights: [Message] = []
        var value = "x"
        for layer in layers {
            let name = layer.name
            weights.append(
                tensor(
                    "w_\(name)", dims: [2, 2],
                    .bytes(9, little((0..<4).map { (layer.first + Float($0)) * layer.scale }))))
            nodes.append(node("MatMul", [value, "w_\(name)"], ["m_\(name)"], .text(3, "matmul_\(name)")))
            let alpha: Message =
                layer.alpha.map { .message(5, [.text(1, "alpha"), .int(20, 1), .fixed32(2, $0)]) } ?? []
            nodes.append(
                node(layer.activation, ["m_\(name)"], ["a_\(name)"], .text(3, "activation_\(name)") + alpha))
            value = "a_\(name)"
        }
        nodes.append(node("Identity", [value], ["y"], .text(3, "last")))
        let interface: Message = [
            .message(11, signature("x")), .message(12, signature("y")),
        ]
        return try Model(
            bytes: model(graph(nodes, initializers: weights, more: interface), more: .text(2, producer)))
    }

    private static func signature(_ name: String) -> Message {
        value(name, extents: [.int(1, 1), .int(1, 2)])
    }

    private static let three = [
        Layer(name: "a", first: 1), Layer(name: "b", first: 5), Layer(name: "c", first: 9),
    ]

    @Test func aModelIsLikeItself() throws {
        let model = try Self.network(Self.three)
        let difference = try model.difference(to: model)
        #expect(difference.isEmpty && difference.isSameGraph)
        #expect(difference.commonNodeCount == 7 && difference.commonWeightCount == 3)
    }

    @Test func headersAreNoPartOfTheGraph() throws {
        let difference = try Self.network(Self.three).difference(to: Self.network(Self.three, producer: "maker"))
        #expect(difference.isSameGraph && !difference.isEmpty)
        #expect(difference.header.map(\.what) == ["producer"])
    }

    /// Nodes and values are named anew, as exporters do after an insertion.
    @Test func namesAloneAreNoDifference() throws {
        var renamed = Self.three
        for (index, name) in ["b", "c", "d"].enumerated() { renamed[index].name = name }
        let difference = try Self.network(Self.three).difference(to: Self.network(renamed))
        #expect(difference.isSameGraph, "\(difference)")
    }

    @Test func anInsertedLayerIsFound() throws {
        var layers = Self.three
        layers.insert(Layer(name: "new", first: 20, activation: "Sigmoid"), at: 1)
        let difference = try Self.network(Self.three).difference(to: Self.network(layers))
        #expect(difference.addedNodes == ["MatMul 'matmul_new'", "Sigmoid 'activation_new'"])
        #expect(difference.removedNodes.isEmpty)
        #expect(difference.commonNodeCount == 7 && difference.changedWeights.isEmpty)
        // What reads the new layer now.
        #expect(difference.changedNodes.map(\.node) == ["MatMul 'matmul_b'"])
    }

    @Test func weightsAreMeasured() throws {
        var layers = Self.three
        layers[1].scale = 1.5
        let difference = try Self.network(Self.three).difference(to: Self.network(layers))
        #expect(difference.changedNodes.isEmpty && difference.changedWeights.count == 1)
        let change = try #require(difference.changedWeights.first)
        // 5, 6, 7, 8 become half as much again: at most 4 apart, half of the norm.
        #expect(change.before == "w_b" && change.changedCount == 4 && change.greatestDifference == 4)
        #expect(change.relativeDifference == 0.5)
    }

    @Test func attributesAndOperatorsAreTold() throws {
        var layers = Self.three
        layers[0].activation = "LeakyRelu"
        layers[0].alpha = 0.25
        var others = layers
        others[0].alpha = 0.5
        let attribute = try Self.network(layers).difference(to: Self.network(others))
        #expect(attribute.changedNodes.map(\.node) == ["LeakyRelu 'activation_a'"])
        let change = try #require(attribute.changedNodes.first?.changes.first)
        #expect(change.what == "alpha" && change.before == "0.25" && change.after == "0.5")
        let swapped = try Self.network(Self.three).difference(to: Self.network(layers))
        #expect(swapped.removedNodes == ["Relu 'activation_a'"] && swapped.addedNodes == ["LeakyRelu 'activation_a'"])
        #expect(swapped.changedNodes.isEmpty)
    }

    @Test func bodiesAreCompared() throws {
        func branches(_ operatorOfElse: String) throws -> Model {
            let (then, other) = (
                graph([node("Relu", ["x"], ["t"])], outputs: ["t"]),
                graph([node(operatorOfElse, ["x"], ["e"])], outputs: ["e"])
            )
            let nodes = [
                node("ReduceMax", ["x"], ["m"], .message(5, [.text(1, "keepdims"), .int(20, 2), .int(3, 0)])),
                node("Greater", ["m", "zero"], ["c"]),
                node(
                    "If", ["c"], ["y"],
                    .text(3, "choice") + graphAttribute("then_branch", then) + graphAttribute("else_branch", other)),
            ]
            let zero = tensor("zero", dims: [], .bytes(9, little([0])))
            return try Model(bytes: model(graph(nodes, inputs: ["x"], outputs: ["y"], initializers: [zero])))
        }
        let difference = try branches("Sigmoid").difference(to: branches("Tanh"))
        #expect(difference.removedNodes == ["If 'choice' › Sigmoid (unnamed)"])
        #expect(difference.addedNodes == ["If 'choice' › Tanh (unnamed)"])
        #expect(try branches("Tanh").difference(to: branches("Tanh")).isEmpty)
    }
}
