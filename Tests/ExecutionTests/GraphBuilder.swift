import GraphIR
import TensorCore

/// Small graphs for tests.
struct GraphBuilder {
    var graph = Graph(name: "test")

    mutating func input(_ name: String, _ dims: [Dim], _ dtype: DType = .float32) -> ValueID {
        let id = graph.addValue(Value(name: Name(name), type: .tensor(dtype, SymbolicShape(dims))))
        graph.inputs.append(id)
        return id
    }

    mutating func constant<Element: TensorElement>(_ name: String, _ values: [Element], _ dims: [Int]) throws -> ValueID
    {
        graph.addValue(Value(name: Name(name), constant: Constant(try Tensor(values, dims: dims))))
    }

    mutating func node(_ opType: String, _ inputs: [ValueID?], _ attributes: [String: Attribute] = [:]) -> ValueID {
        let name = "\(opType)_\(graph.nodes.count)"
        let output = graph.addValue(Value(name: Name(name + ":0")))
        graph.nodes.append(
            Node(name: Name(name), opType: opType, inputs: inputs, outputs: [output], attributes: attributes))
        return output
    }

    mutating func output(_ id: ValueID) { graph.outputs.append(id) }

    func model(opset: Int = 17) -> ModelGraph { ModelGraph(graph: graph, irVersion: 9, opsets: ["": opset]) }
}

/// Reproducible numbers in [-1, 1).
func noise(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(1 << 31)
    }
}
