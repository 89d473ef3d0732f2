import GraphIR
import Operators
import TensorCore

/// Follows the channels of feature maps through Concat, Slice, Split, Gather and the Reshape, Transpose, Reshape of a
/// channel shuffle, back to the values that hold them, and gathers them from there in one step where they come from
/// all over. In ShuffleNet half of the channels of a block are then never moved.
package enum ComposeChannelMoves: GraphPass {
    package static let name = "compose-channel-moves"
    package static let summary = "gather shuffled channels once instead of moving them step by step"

    package static func run(on graph: inout Graph, _ context: PassContext) throws(SardonyxError) {
        var trace = ChannelTrace(graph, context)
        for node in graph.nodes { try trace.visit(node) }
        var patch = GraphPatch(graph)
        for (index, node) in graph.nodes.enumerated() {
            for case let output? in node.outputs {
                guard let channels = trace.origins[output], channels.isScattered, trace.isReadAsFeatureMap(output)
                else { continue }
                let gathered = patch.addValue(
                    Value(name: Name(graph[output].name.string + "·gathered"), type: graph[output].type))
                patch.insert(
                    GatherChannels.node(
                        name: node.name, origins: node.origins, sources: channels.sources, output: gathered,
                        from: channels.places.map { ($0.source, $0.channel) }),
                    before: index)
                patch.replaceUses(of: output, with: gathered)
            }
        }
        try patch.apply(to: &graph)
    }
}

/// Where every channel of a value comes from.
private struct Channels {
    struct Place: Hashable {
        var source: Int
        var channel: Int
    }
    var sources: [ValueID] = []
    var places: [Place] = []

    /// Fewer channels in a row than this are worth a gather.
    private static let shortRun = 4

    mutating func append(_ channel: Int, of value: ValueID) {
        let source = sources.lastIndex(of: value) ?? sources.endIndex
        if source == sources.endIndex { sources.append(value) }
        places.append(Place(source: source, channel: channel))
    }

    mutating func append(_ other: Channels, _ channel: Int) {
        append(other.places[channel].channel, of: other.sources[other.places[channel].source])
    }

    /// Whether runs of channels that follow each other in one source are short.
    var isScattered: Bool {
        let breaks = zip(places, places.dropFirst()).count {
            $1 != Channels.Place(source: $0.source, channel: $0.channel + 1)
        }
        return places.count > 1 && (breaks + 1) * Self.shortRun > places.count
    }
}

private struct ChannelTrace {
    let graph: Graph
    let context: PassContext
    let pattern: FusionPattern
    /// Of the outputs of nodes that only move channels.
    var origins: [ValueID: Channels] = [:]
    private var entriesLeft = 1 << 20

    private static let mostChannels = 8192
    private static let mostSources = 64

    init(_ graph: Graph, _ context: PassContext) {
        self.graph = graph
        self.context = context
        self.pattern = FusionPattern(graph)
    }

    /// Whether anything but a node that only moves channels reads a value.
    func isReadAsFeatureMap(_ value: ValueID) -> Bool {
        graph.outputs.contains(value)
            || graph.nodes.contains { node in
                node.inputs.contains(value) && !node.outputs.contains { $0.map { origins[$0] != nil } ?? false }
                    && !node.movesElementsOnly
            }
    }

    mutating func visit(_ node: Node) throws(SardonyxError) {
        guard node.domain == Domains.onnx, entriesLeft > 0 else { return }
        for (index, output) in node.outputs.enumerated() {
            guard let output, let map = map(output), let channels = try channels(of: node, output: index, map),
                channels.places.count == map[1], channels.sources.count <= Self.mostSources
            else { continue }
            entriesLeft -= channels.places.count
            origins[output] = channels
        }
    }

    /// The extents of a float32 feature map.
    private func map(_ value: ValueID?) -> [Int]? {
        guard pattern.isFloat32(value), let dims = pattern.dims(of: value), dims.count == 4,
            (1...Self.mostChannels).contains(dims[1]), !dims.contains(0)
        else { return nil }
        return dims
    }

    /// A value's channels: those that were traced, or its own.
    private func origin(_ value: ValueID, _ count: Int) -> Channels {
        if let known = origins[value] { return known }
        var own = Channels()
        for channel in 0..<count { own.append(channel, of: value) }
        return own
    }

    private func channels(of node: Node, output: Int, _ map: [Int]) throws(SardonyxError) -> Channels? {
        switch node.opType {
        case "Concat": return concatenated(node)
        case "Reshape": return try reshaped(node, map)
        case "Slice", "Split", "Gather": return try taken(node, output: output)
        default: return nil
        }
    }

    private func concatenated(_ node: Node) -> Channels? {
        guard case .int(let axis)? = node.attributes["axis"], axis == 1 || axis == -3 else { return nil }
        var result = Channels()
        for input in node.inputs {
            guard let input, let dims = map(input) else { return nil }
            let part = origin(input, dims[1])
            for channel in part.places.indices { result.append(part, channel) }
        }
        return result
    }

    /// A Reshape to a feature map of a view of one, as long as images and pixels stay as they are.
    private func reshaped(_ node: Node, _ map: [Int]) throws(SardonyxError) -> Channels? {
        guard let input = node.inputs.first ?? nil,
            let (view, _) = try StridedView.tracing(input, scales: false, pattern), let source = self.map(view.source),
            source[0] == map[0], source[2...] == map[2...], view.dims.count >= 4
        else { return nil }
        let pixels = map[2] * map[3]
        let inner = 1..<view.dims.count - 2
        guard view.dims[0] == map[0], view.strides[0] == source[1] * pixels || map[0] == 1,
            view.dims[inner.upperBound...] == map[2...], Array(view.strides[inner.upperBound...]) == [map[3], 1],
            view.offset == 0, inner.allSatisfy({ view.strides[$0].isMultiple(of: pixels) })
        else { return nil }
        let all = origin(view.source, source[1])
        var result = Channels()
        var index = inner.map { _ in 0 }
        for _ in 0..<map[1] {
            let offset = zip(index, view.strides[inner]).reduce(0) { $0 + $1.0 * $1.1 }
            result.append(all, offset / pixels)
            for axis in index.indices.reversed() {
                index[axis] += 1
                if index[axis] < view.dims[inner][inner.lowerBound + axis] { break }
                index[axis] = 0
            }
        }
        return result
    }

    /// Slice, Split or Gather along the channels: the operator itself, run on the channels' numbers, says which.
    private func taken(_ node: Node, output: Int) throws(SardonyxError) -> Channels? {
        guard let input = node.inputs.first ?? nil, let dims = map(input), try changesChannelsOnly(node)
        else { return nil }
        var parameters: [Tensor?] = [try Tensor((0..<dims[1]).map(Int64.init), dims: [1, dims[1], 1, 1])]
        for case let parameter in node.inputs.dropFirst() {
            guard let parameter else {
                parameters.append(nil)
                continue
            }
            guard let constant = graph[parameter].constant else { return nil }
            parameters.append(try constant.tensor())
        }
        let results = try context.evaluator.outputs(
            of: node, opset: context.opsets[node.domain] ?? 1, inputs: parameters, interruption: context.interruption)
        guard let numbers = results[output]?.integers() else { return nil }
        let all = origin(input, dims[1])
        var result = Channels()
        for channel in numbers { result.append(all, channel) }
        return result
    }

    private func changesChannelsOnly(_ node: Node) throws(SardonyxError) -> Bool {
        func isChannelAxis(_ axes: [Int]?) -> Bool { axes == [1] || axes == [-3] }
        if node.opType == "Slice" {
            if case .ints(let axes)? = node.attributes["axes"] { return isChannelAxis(axes) }
            return isChannelAxis(try graph.integers(node, input: 3))
        }
        guard case .int(let axis)? = node.attributes["axis"], isChannelAxis([axis]) else { return false }
        return node.opType == "Split" || pattern.dims(of: node.inputs.count > 1 ? node.inputs[1] : nil)?.count == 1
    }
}
