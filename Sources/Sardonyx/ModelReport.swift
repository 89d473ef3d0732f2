import TensorCore

/// What `sardonyx inspect` shows: the structure of a model and what it costs.
public struct ModelReport: Sendable, Encodable {
    public struct OperatorCount: Sendable, Encodable {
        public let domain: String
        public let name: String
        public let count: Int
        /// Whether this build can run it at the model's opset.
        public let isAvailable: Bool
        /// `nil` when a shape is not known.
        public let multiplyAccumulates: Int?
        /// Elements of the constants that these nodes read, without those of single numbers; one that several operators
        /// read counts for each.
        public let parameterCount: Int
        /// Read and written by one run, every operand of every node once; `nil` when a shape is not known.
        public let byteCount: Int?
    }

    public struct ValueReport: Sendable, Hashable, Codable {
        public let name: String
        /// For example `float32[1, 3, 550, 550]`; `?` when nothing is known.
        public let type: String
        /// `blocked16` for feature maps in blocked layout.
        public let layout: String
        public let isConstant: Bool
    }

    public struct NodeReport: Sendable, Encodable {
        public let name: String
        public let domain: String
        public let operatorName: String
        public let inputs: [ValueReport?]
        public let outputs: [ValueReport?]
        public let attributes: [String: String]
        public let multiplyAccumulates: Int?
        /// Nodes of the source model that this node computes.
        public let origins: [String]
    }

    public let irVersion: Int
    public let producer: String
    public let opsets: [String: Int]
    public let metadata: [String: String]
    public let inputs: [String]
    public let outputs: [String]
    public let nodes: [NodeReport]
    public let operators: [OperatorCount]
    /// Nodes inside of If, Loop, Scan and SequenceMap nodes, at any depth.
    public let bodyNodeCount: Int
    public let functions: [String]
    /// Elements of all constants that nodes read, also those in bodies, without those of single numbers.
    public let parameterCount: Int
    public let parameterByteCount: Int
    /// Of one run, without what bodies do; `nil` when a shape is not known.
    public let multiplyAccumulates: Int?
    /// Whether the shape of an input is not fixed.
    public let hasOpenInputs: Bool
    /// What would stop the model from running.
    public let problems: [String]
}
