import GraphIR
import OnnxImport
import Passes
import TensorCore

/// An ONNX model: its graph and metadata, with weights left in the file until a session packs them.
///
/// ```swift
/// let model = try Model(contentsOf: "yolact.onnx")
/// let session = try model.session()
/// let outputs = try session.run(["image": tensor])
/// ```
public struct Model: Sendable {
    package let content: ModelGraph
    /// The file it was read from; `nil` for a model from memory.
    public let path: String?

    init(content: ModelGraph, path: String?) {
        self.content = content
        self.path = path
    }

    /// Reads a model file.
    /// - Parameters:
    ///   - externalRoot: the directory that external tensor data may lie in; by default the file's own.
    ///   - toleratesMissingData: whether to open a model whose external data cannot be read: it cannot run, but be looked
    ///     into; its report says what is missing.
    /// - Throws: `parse`, `limit`, `unsupported`, `graph`, `tensor` or `external`.
    public init(
        contentsOf path: String, externalRoot: String? = nil, toleratesMissingData: Bool = false
    ) throws(SardonyxError) {
        self.content = try OnnxImporter.load(
            path: path, externalRoot: externalRoot, toleratesMissingData: toleratesMissingData
        ).expandingGradients()
        self.path = path
    }

    /// Reads a model from memory; it may not refer to external data.
    /// - Throws: `parse`, `limit`, `unsupported`, `graph`, `tensor` or `external`.
    public init(bytes: [UInt8]) throws(SardonyxError) {
        self.content = try OnnxImporter.load(bytes: bytes).expandingGradients()
        self.path = nil
    }

    /// A model that was read or made otherwise.
    /// - Throws: as `init(contentsOf:externalRoot:)`, for Gradient nodes.
    package init(content: ModelGraph) throws(SardonyxError) {
        self.content = try content.expandingGradients()
        self.path = nil
    }

    public var inputs: [Signature] { content.graph.inputs.map { Signature(content.graph[$0]) } }
    public var outputs: [Signature] { content.graph.outputs.map { Signature(content.graph[$0]) } }

    /// `metadata_props` of the file; of repeated keys the last.
    public var metadata: [String: String] {
        Dictionary(content.metadata.map { ($0.key, $0.value) }) { $1 }
    }

    /// Optimises the model and plans its run; weights are packed here when the input shapes are fixed.
    /// - Throws: `unsupported` with all missing operators, `shape` or `graph` for a faulty graph, `limit` when the
    ///   plan needs more memory than allowed; `deadline` and `cancelled` as `limits` say.
    /// - Parameter limits: when to give up; asked before every node that is folded or planned.
    public func session(
        _ options: SessionOptions = SessionOptions(), limits: RunOptions = RunOptions()
    ) throws(SardonyxError) -> Session {
        try Session(self, options: options, interruption: limits.interruption)
    }
}
