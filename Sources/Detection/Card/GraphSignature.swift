import TensorCore

/// What a graph says about itself: enough to recognise whose export it is.
public struct GraphSignature: Sendable, Hashable {
    /// One input or output.
    public struct Port: Sendable, Hashable {
        public let name: String
        public let dtype: DType?
        /// `nil` when not even the rank is known, or for more than a tensor may have; in it, `nil` for an extent that
        /// inputs decide.
        public let extents: [Int?]?

        public init(name: String, dtype: DType?, extents: [Int?]?) {
            let arePossible =
                extents?.allSatisfy { $0.map { (0...CheckedSize.maximumElements).contains($0) } ?? true } ?? true
            self.name = name
            self.dtype = dtype
            self.extents = arePossible ? extents : nil
        }

        var rank: Int? { extents?.count }
    }

    public let inputs: [Port]
    public let outputs: [Port]
    /// The file's `metadata_props`.
    public let metadata: [String: String]

    public init(inputs: [Port], outputs: [Port], metadata: [String: String]) {
        self.inputs = inputs
        self.outputs = outputs
        self.metadata = metadata
    }

    /// The one input that can take a picture: `[N, 3, H, W]` or `[3, H, W]` floats.
    var picture: Port? {
        let candidates = inputs.filter { port in
            guard port.dtype == .float32, let extents = port.extents, extents.count == 3 || extents.count == 4 else {
                return false
            }
            return extents[extents.count - 3].map { $0 == 3 } ?? true
        }
        return candidates.count == 1 ? candidates.first : nil
    }

    /// The picture's height and width where the graph fixes them.
    var pictureSize: (width: Int, height: Int)? {
        guard let extents = picture?.extents, let height = extents[extents.count - 2],
            let width = extents[extents.count - 1]
        else { return nil }
        return (width, height)
    }

    func output(_ name: String) -> Port? { outputs.first { $0.name == name } }
}
