import CKernels
import GraphIR
import TensorCore

/// `sardonyx.GatherChannels`: an image batch `[N, C, H, W]` whose channels are channels of the inputs, float32 batches of
/// the same N, H and W. Output channel i is channel `channels[i]` of input `sources[i]`.
package struct GatherChannels: Operator {
    package static let elementTypes: [DType] = [.float32]
    private let sources: [Int32]
    private let channels: [Int32]
    private var layout = Layout.plain
    private var counts: [Int64] = []

    /// The node that gathers the channels `places` of `sources`.
    package static func node(
        name: Name, origins: [Name], sources: [ValueID], output: ValueID, from places: [(source: Int, channel: Int)]
    ) -> Node {
        Node(
            name: name, domain: Domains.internal, opType: "GatherChannels", inputs: sources, outputs: [output],
            attributes: ["sources": .ints(places.map(\.source)), "channels": .ints(places.map(\.channel))],
            origins: origins)
    }

    package init(_ node: NodeReader) throws(SardonyxError) {
        func indices(_ name: String) throws(SardonyxError) -> [Int32] {
            let values = try node.required(name, try node.ints(name))
            guard values.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
                throw node.error(.internal, "attribute \(name)", got: "\(values)", allowed: "indices")
            }
            return values.map { Int32($0) }
        }
        sources = try indices("sources")
        channels = try indices("channels")
        guard sources.count == channels.count, sources.allSatisfy({ $0 < node.inputCount }) else {
            throw node.error(
                .internal, "sources and channels", got: "\(sources.count) and \(channels.count)",
                allowed: "as many of each, of \(node.inputCount) inputs")
        }
    }

    package func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        guard var shape = try context.shape(0) else { return [Inferred(.float32, nil)] }
        guard shape.rank == 4 else {
            throw context.error(.internal, "input 0", got: "\(shape)", allowed: "rank 4")
        }
        shape.dims[1] = .known(channels.count)
        return [Inferred(.float32, shape)]
    }

    package mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let first = try context.input(0)
        layout = first.layout
        counts = []
        for index in 0..<context.inputCount {
            let info = try context.input(index)
            var expected = first.shape.dims
            expected[1] = info.shape.rank == 4 ? info.shape[1] : 0
            guard info.shape.dims == expected, info.layout == layout else {
                throw context.error(
                    .internal, "input \(index)", got: "\(info.shape), \(info.layout)",
                    allowed: "\(first.shape) but for channels, \(layout)")
            }
            counts.append(Int64(info.shape[1]))
        }
        for (source, channel) in zip(sources, channels) where channel >= counts[Int(source)] {
            throw context.error(
                .internal, "channel of input \(source)", got: "\(channel)", allowed: "less than \(counts[Int(source)])")
        }
    }

    package func run(_ context: RunContext) throws(SardonyxError) {
        let y = try context.output(0)
        guard y.elementCount > 0 else { return }
        try withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: counts.count) {
            (inputs) throws(SardonyxError) in
            for index in counts.indices {
                inputs.initializeElement(at: index, to: UnsafePointer(try context.input(index).floats))
            }
            sx_gather_channels(
                layout.kernelLayout, Int64(y.shape[0]), Int64(y.shape[1]), Int64(y.shape[2] * y.shape[3]),
                inputs.baseAddress, counts, sources, channels, y.floats, Int32(context.threads))
        }
    }

    package func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        LayoutChoice(inputs: inputs.map { _ in .blocked16 }, outputs: [.blocked16])
    }
}
