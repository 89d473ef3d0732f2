/// What differs between two models: interface, structure, attributes, weights.
public struct ModelDifference: Sendable, Encodable {
    /// One thing that is not the same; `nil` where it is absent.
    public struct Change: Sendable, Hashable, Encodable {
        public let what: String
        public let before: String?
        public let after: String?
    }

    /// A node that both models have.
    public struct NodeChange: Sendable, Hashable, Encodable {
        /// For example `Conv 'layer1.0.conv1'`, after the nodes whose bodies it is in: `Loop 'loop' › Conv 'c'`.
        public let node: String
        public let changes: [Change]
    }

    /// A constant that both models feed to the same place of the same node.
    public struct WeightChange: Sendable, Hashable, Encodable {
        public let before: String
        /// Its name in the other model.
        public let after: String
        public let typeBefore: String
        public let typeAfter: String
        /// The next ones are `nil` where types differ, or elements are no real numbers.
        public let changedCount: Int?
        /// Greatest absolute difference; infinite where only one side is finite.
        public let greatestDifference: Double?
        /// Root of the mean square of the differences over that of the elements before, both of those finite in both.
        public let relativeDifference: Double?
    }

    /// Versions, producer, metadata.
    public internal(set) var header: [Change] = []
    /// Inputs and outputs.
    public internal(set) var interface: [Change] = []
    /// Nodes that both models have, whether changed or not.
    public internal(set) var commonNodeCount = 0
    public internal(set) var changedNodes: [NodeChange] = []
    /// Nodes of the first model only, and of the second only.
    public internal(set) var removedNodes: [String] = []
    public internal(set) var addedNodes: [String] = []
    /// Constants that common nodes read, each once, but for those that cannot be compared.
    public internal(set) var commonWeightCount = 0
    public internal(set) var changedWeights: [WeightChange] = []
    /// Constants that common nodes read, whose data one of the models lacks: they may differ.
    public internal(set) var unreadableWeights: [String] = []

    /// Whether the models compute the same, names, versions and metadata aside.
    public var isSameGraph: Bool {
        interface.isEmpty && changedNodes.isEmpty && removedNodes.isEmpty && addedNodes.isEmpty
            && changedWeights.isEmpty && unreadableWeights.isEmpty
    }
    public var isEmpty: Bool { isSameGraph && header.isEmpty }
}

extension Model {
    /// Compares two models. Nodes belong together when operator, attributes and weights say so, in the order of the
    /// graphs; names decide only where that leaves a choice, so that renumbered nodes are no difference.
    /// - Parameter progress: told how many of how many weights have been read.
    /// - Throws: what reading the weights throws.
    public func difference(
        to other: Model, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(SardonyxError) -> ModelDifference {
        var digests = ConstantDigests()
        let graphs =
            [content.graph, other.content.graph] + content.functions.map(\.body) + other.content.functions.map(\.body)
        let total = graphs.reduce(0) { $0 + $1.allConstants.count }
        for graph in graphs {
            try digests.read(graph) { progress($0, total) }
        }
        var difference = ModelDifference()
        difference.header = headerChanges(other)
        var comparison = GraphComparison(digests: digests, difference: difference)
        try comparison.compare(content.graph, other.content.graph, path: "")
        try comparison.compareFunctions(content.functions, other.content.functions)
        return comparison.difference
    }

    private func headerChanges(_ other: Model) -> [ModelDifference.Change] {
        let (a, b) = (content, other.content)
        var changes: [ModelDifference.Change] = []
        func note(_ what: String, _ before: String?, _ after: String?) {
            if before != after { changes.append(ModelDifference.Change(what: what, before: before, after: after)) }
        }
        note("IR version", "\(a.irVersion)", "\(b.irVersion)")
        note("producer", "\(a.producer) \(a.producerVersion)", "\(b.producer) \(b.producerVersion)")
        for domain in Set(a.opsets.keys).union(b.opsets.keys).sorted() {
            note(
                "opset \(domain.isEmpty ? "ai.onnx" : domain)", a.opsets[domain].map(String.init),
                b.opsets[domain].map(String.init))
        }
        for key in Set(metadata.keys).union(other.metadata.keys).sorted() {
            note("metadata \(key)", metadata[key], other.metadata[key])
        }
        return changes
    }
}
