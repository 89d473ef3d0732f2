import GraphIR
import Operators
import TensorCore

/// Everything decided before a run for one set of input shapes: the schedule, prepared operators, and where every
/// value lives. Immutable and shared by all runs.
package final class Plan: Sendable {
    /// What a piece of memory belongs to.
    package enum Base: Sendable, Hashable {
        case arena
        case feed(Int)
        case result(Int)
        case constant(Int)
    }

    /// One argument of a step.
    package struct Operand: Sendable {
        package let info: TensorInfo
        package let base: Base
        package let byteOffset: Int
        package let value: ValueID
    }

    package struct Step: Sendable {
        package let node: Node
        package let op: any Operator
        /// By position; `nil` for omitted inputs and those the operator took when it was prepared.
        package let inputs: [Operand?]
        package let outputs: [Operand?]
        package let scratchOffset: Int?
        package let cost: Cost
    }

    /// What one run of a step amounts to.
    package struct Cost: Sendable, Hashable {
        /// Counted for the direct algorithm.
        package let multiplyAccumulates: Int
        /// Of the algorithm that was chosen.
        package let executedMultiplyAccumulates: Int
        /// Read and written: every operand once, in its layout, weights as the model has them; of a Concat whose
        /// inputs are partly in place only what it copies.
        package let byteCount: Int

        package init(multiplyAccumulates: Int, executedMultiplyAccumulates: Int, byteCount: Int) {
            self.multiplyAccumulates = multiplyAccumulates
            self.executedMultiplyAccumulates = executedMultiplyAccumulates
            self.byteCount = byteCount
        }
    }

    /// A tensor that the static part makes for the caller or for the tail.
    package struct Result: Sendable {
        package let value: ValueID
        package let info: TensorInfo
        /// Set when the value is computed elsewhere and copied at the end.
        package let copiedFrom: (base: Base, byteOffset: Int)?
    }

    /// A block of the arena and when it is in use.
    package struct Buffer: Sendable {
        package let byteOffset: Int
        package let byteCount: Int
        /// Indices of steps.
        package let steps: ClosedRange<Int>
        /// What lies in it: values that share memory; none for the scratch memory of a step.
        package let values: [ValueID]
    }

    package enum Output: Sendable {
        case result(Int)
        case constant(Tensor)
        case feed(Int)
        case tail(ValueID)
    }

    /// The graph after all passes, specialised to the input shapes.
    package let graph: Graph
    package let steps: [Step]
    package let results: [Result]
    package let outputs: [Output]
    package let constants: [Tensor]
    package let arenaByteCount: Int
    /// Of the arena, by offset.
    package let buffers: [Buffer]
    /// Nodes whose shapes depend on data; run one by one after the steps.
    package let tail: DynamicTail?

    init(
        graph: Graph, steps: [Step], results: [Result], outputs: [Output], constants: [Tensor], arenaByteCount: Int,
        buffers: [Buffer], tail: DynamicTail?
    ) {
        self.graph = graph
        self.steps = steps
        self.results = results
        self.outputs = outputs
        self.constants = constants
        self.arenaByteCount = arenaByteCount
        self.buffers = buffers
        self.tail = tail
    }

    /// Bytes that one run needs besides weights: the arena and the results.
    package var peakByteCount: Int {
        results.reduce(arenaByteCount) { $0 + $1.info.shape.elementCount * $1.info.dtype.byteSize }
    }
}
