import GraphIR
import TensorCore

/// One ONNX operator: typed attributes read once in `init`, output types from input types, and the computation.
///
/// A plan makes one instance a node, calls `prepare` once with concrete shapes, and then `run` any number of times,
/// from several threads at once: `run` must not change the instance.
package protocol Operator: Sendable {
    /// Element types that input 0 may have where it is a tensor; checked before `infer` is called.
    static var elementTypes: [DType] { get }

    /// Reads and checks the attributes.
    init(_ node: NodeReader) throws(SardonyxError)

    /// The types of all outputs from what is known of the inputs; unknown extents stay unknown.
    /// Faults that can be seen here are errors here, so that they appear at load.
    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred]

    /// Does what needs to be done once for concrete shapes: packs constant weights, builds index tables.
    mutating func prepare(_ context: PrepareContext) throws(SardonyxError)

    /// Writes every element of every output. Allocates nothing when all output shapes were inferable.
    func run(_ context: RunContext) throws(SardonyxError)

    /// Whether, on inputs of these types, `run` takes values of any kind by `RunContext.value`, makes its outputs itself
    /// by `RunContext.setOutput`, and needs no shapes to be prepared: sequences, optionals, control flow.
    func runsOnValues(_ inputs: [ValueType?]) -> Bool

    // MARK: Optional knowledge for the planner

    /// Scratch memory that `run` needs, after `prepare`, 64-byte aligned.
    var scratchByteCount: Int { get }

    /// Inputs that `run` does not read because `prepare` took what it needs (packed weights, constant shapes).
    var preparedInputs: [Int] { get }

    /// How the bytes of the outputs relate to the bytes of the inputs.
    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation

    /// Whether output 0 may be written over this input (same stored size, element by element).
    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool

    /// The layouts it would like, given those in which its inputs exist now (`TensorInfo.layout`);
    /// `nil` when it works on plain tensors only.
    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice?

    /// Multiply-accumulate operations of one run, counted for the direct algorithm.
    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int

    /// Multiply-accumulate operations that `run` executes with the algorithm that `prepare` chose.
    func executedMultiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int

    /// Name of the algorithm chosen by `prepare`, for profiles; empty when there is only one.
    var algorithm: String { get }
}

extension Operator {
    package static var elementTypes: [DType] { DType.allCases }
    package mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {}
    package func runsOnValues(_ inputs: [ValueType?]) -> Bool { false }
    package var scratchByteCount: Int { 0 }
    package var preparedInputs: [Int] { [] }
    package func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation { .separate }
    package func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool { false }
    package func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? { nil }
    package func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int { 0 }
    package func executedMultiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        multiplyAccumulates(inputs, outputs)
    }
    package var algorithm: String { "" }
}

/// A tensor's type and layout, all known.
package struct TensorInfo: Sendable, Hashable {
    package var dtype: DType
    package var shape: Shape
    package var layout: Layout

    package init(dtype: DType, shape: Shape, layout: Layout = .plain) {
        self.dtype = dtype
        self.shape = shape
        self.layout = layout
    }

    /// Bytes in memory, padding lanes included.
    package func storedByteCount() throws(SardonyxError) -> Int {
        try layout.storedElementCount(shape) * dtype.byteSize
    }
}

/// How the bytes of a node's outputs relate to those of its inputs.
package enum MemoryRelation: Sendable, Hashable {
    case separate
    /// Output 0 is the same bytes as this input (Reshape, Squeeze, Identity): nothing needs to run.
    case view(input: Int)
    /// Output 0 is its present inputs end to end (Concat whose outer extents are 1). The planner may place inputs
    /// straight into the output; `run` copies only those whose pointer is not already there.
    case join
    /// The outputs are consecutive parts of input 0 (Split whose outer extents are 1): nothing needs to run.
    case split
}

/// Layouts for every input and output of a node, in order; entries for absent ones are ignored.
package struct LayoutChoice: Sendable, Hashable {
    package var inputs: [Layout]
    package var outputs: [Layout]

    package init(inputs: [Layout], outputs: [Layout]) {
        self.inputs = inputs
        self.outputs = outputs
    }
}
