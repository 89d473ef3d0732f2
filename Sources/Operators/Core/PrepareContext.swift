import GraphIR
import Synchronization
import TensorCore

/// What `Operator.prepare` sees: concrete types of its inputs and outputs, constant inputs, and the weight cache.
package struct PrepareContext: Sendable {
    package let node: Node
    /// By position; `nil` for omitted ones and for outputs whose shape depends on data.
    package let inputs: [TensorInfo?]
    package let outputs: [TensorInfo?]
    /// By input position; `nil` where the input is not constant.
    package let constants: [Constant?]
    /// The most threads that `run` will use.
    package let threads: Int
    package let weights: WeightCache
    /// What tables and the like are checked against before they are made.
    package let budget: MemoryBudget
    /// Throws `cancelled` or `deadline`; makers of large tables call it between their parts.
    package let interruption: Interruption?
    /// The type whose elements float32 inputs stand for, where they were widened (`HalfPrecision`).
    package var widenedFrom: DType?
    /// By position; `nil` for omitted ones.
    package let inputTypes: [ValueType?]
    /// Runs subgraphs of the node; `nil` where nodes with subgraphs cannot run.
    package let subgraphs: (any SubgraphHost)?

    package init(
        node: Node, inputs: [TensorInfo?], outputs: [TensorInfo?], constants: [Constant?], threads: Int,
        weights: WeightCache, budget: MemoryBudget, interruption: Interruption? = nil,
        inputTypes: [ValueType?]? = nil, subgraphs: (any SubgraphHost)? = nil
    ) {
        self.node = node
        self.inputs = inputs
        self.outputs = outputs
        self.constants = constants
        self.threads = threads
        self.weights = weights
        self.budget = budget
        self.interruption = interruption
        self.inputTypes = inputTypes ?? inputs.map { $0.map { .tensor($0.dtype, SymbolicShape($0.shape)) } }
        self.subgraphs = subgraphs
    }

    package func input(_ index: Int) throws(SardonyxError) -> TensorInfo {
        guard index < inputs.count, let info = inputs[index] else {
            throw SardonyxError(.graph, node.label, "input \(index) is missing")
        }
        return info
    }

    package func output(_ index: Int) throws(SardonyxError) -> TensorInfo {
        guard index < outputs.count, let info = outputs[index] else {
            throw SardonyxError(.internal, node.label, "output \(index) has no shape")
        }
        return info
    }

    /// The constant at an input position; `nil` when absent or not constant.
    package func constant(_ index: Int) -> Constant? { index < constants.count ? constants[index] : nil }
}

/// Packed weights, made once a session and shared by all plans and runs.
///
/// A key says everything that the packing depends on besides the constants (kernel family, tile, groups).
package final class WeightCache: Sendable {
    private struct Key: Hashable {
        let constant: ObjectIdentifier
        let companion: ObjectIdentifier?
        let packing: String
    }
    /// Keeps the constants, so that their identifiers stay theirs.
    private struct Entry {
        let constant: Constant
        let companion: Constant?
        let buffer: Buffer
    }
    private let entries = Mutex<[Key: Entry]>([:])

    /// Whether 3x3 convolutions may be packed for Winograd, in four times the memory.
    package let allowsWinograd: Bool

    package init(allowsWinograd: Bool = true) { self.allowsWinograd = allowsWinograd }

    /// The packed form of `constant`, made by `pack` from its contents when it is not there yet.
    /// - Parameter companion: another constant that `pack` reads.
    package func packed(
        _ constant: Constant, with companion: Constant? = nil, _ packing: String,
        pack: (Tensor) throws(SardonyxError) -> Buffer
    ) throws(SardonyxError) -> Buffer {
        let key = Key(
            constant: ObjectIdentifier(constant), companion: companion.map(ObjectIdentifier.init), packing: packing)
        if let entry = entries.withLock({ $0[key] }) { return entry.buffer }
        let buffer = try pack(try constant.tensor())
        return entries.withLock { entries in
            if let entry = entries[key] { return entry.buffer }
            entries[key] = Entry(constant: constant, companion: companion, buffer: buffer)
            return buffer
        }
    }

    package var byteCount: Int { entries.withLock { $0.values.reduce(0) { $0 + $1.buffer.byteCount } } }
}
