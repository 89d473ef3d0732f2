import GraphIR
import TensorCore

extension Graph {
    /// Constants by value: initializers, and what nodes make that only give a constant a name.
    var constantContents: [ValueID: Constant] {
        var contents: [ValueID: Constant] = [:]
        for (index, value) in values.enumerated() { contents[ValueID(index)] = value.constant }
        for (node, constant) in GraphReportBuilder.constantNodes(of: self) {
            for case let output? in nodes[node].outputs.prefix(1) where contents[output] == nil {
                contents[output] = constant
            }
        }
        return contents
    }

    /// Constants but single numbers that nodes read, those of bodies included, each once.
    var readConstants: [Constant] {
        var seen: Set<ObjectIdentifier> = []
        return allReadConstants.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    private var allReadConstants: [Constant] {
        let (contents, capturable) = (constantContents, capturableNames())
        return nodes.flatMap { node in
            node.dependencies(capturable).compactMap { contents[$0] }.filter { $0.shape.rank > 0 }
                + node.subgraphs.flatMap(\.allReadConstants)
        }
    }

    var bodyNodeCount: Int {
        nodes.flatMap(\.subgraphs).reduce(0) { $0 + $1.nodes.count + $1.bodyNodeCount }
    }

    /// Initializers and constants in attributes, bodies included; one that stands in two places comes twice.
    var allConstants: [Constant] {
        var constants = values.compactMap(\.constant)
        for node in nodes {
            for (_, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
                constants += attribute.constants
                for body in attribute.graphs { constants += body.allConstants }
            }
        }
        return constants
    }
}

extension ModelGraph {
    /// Why constants of the graph or a function have no contents, each once.
    var missingData: [SardonyxError] {
        var seen: Set<ObjectIdentifier> = []
        return ([graph] + functions.map(\.body)).flatMap(\.allConstants).compactMap { constant in
            seen.insert(ObjectIdentifier(constant)).inserted ? constant.fault : nil
        }
    }
}

extension Attribute {
    /// Tensors of the attribute, those of sparse ones included, but not those inside of graphs.
    var constants: [Constant] {
        switch self {
        case .tensor(let constant): [constant]
        case .tensors(let constants): constants
        case .sparseTensor(let sparse): [sparse.values, sparse.indices]
        case .sparseTensors(let tensors): tensors.flatMap { [$0.values, $0.indices] }
        default: []
        }
    }
}
