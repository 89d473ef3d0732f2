import GraphIR
import TensorCore

/// The arguments of one node during a run. Made once with the plan's memory and used for every run.
package final class RunContext {
    /// For messages.
    package let label: String
    /// By position; `nil` for omitted inputs and for those in `Operator.preparedInputs`.
    package var inputs: [TensorView?]
    /// By position; `nil` for omitted outputs and, before `allocate`, for those whose shape depends on data.
    package var outputs: [TensorView?]
    /// `Operator.scratchByteCount` bytes, 64-byte aligned.
    package var scratch: UnsafeMutableRawPointer?
    package var threads: Int
    /// Throws `cancelled` or `deadline`; long operators call it between their parts.
    package var interruption: Interruption?
    package let budget: MemoryBudget
    /// What `allocate` made, by output position.
    package private(set) var allocated: [Tensor?]

    package init(
        label: String, inputs: [TensorView?], outputs: [TensorView?], scratch: UnsafeMutableRawPointer? = nil,
        threads: Int, interruption: Interruption? = nil, budget: MemoryBudget
    ) {
        self.label = label
        self.inputs = inputs
        self.outputs = outputs
        self.scratch = scratch
        self.threads = threads
        self.interruption = interruption
        self.budget = budget
        self.allocated = [Tensor?](repeating: nil, count: outputs.count)
    }

    package func hasInput(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    package func input(_ index: Int) throws(SardonyxError) -> TensorView {
        guard index < inputs.count, let view = inputs[index] else {
            throw SardonyxError(.internal, label, "input \(index) has no memory")
        }
        return view
    }

    package func output(_ index: Int) throws(SardonyxError) -> TensorView {
        guard index < outputs.count, let view = outputs[index] else {
            throw SardonyxError(.internal, label, "output \(index) has no memory")
        }
        return view
    }

    package func hasOutput(_ index: Int) -> Bool { index < outputs.count && outputs[index] != nil }

    /// Memory for an output whose shape was not inferable (NonZero, NonMaxSuppression …).
    /// - Throws: `limit` when the budget does not allow it.
    package func allocate(_ index: Int, dtype: DType, shape: Shape) throws(SardonyxError) -> TensorView {
        guard index < outputs.count else { throw SardonyxError(.internal, label, "output \(index) does not exist") }
        try budget.check(shape.elementCount * dtype.byteSize, for: label)
        let tensor = try Tensor(dtype: dtype, shape: shape) { (_) throws(SardonyxError) in }
        let view = TensorView(reading: tensor)
        allocated[index] = tensor
        outputs[index] = view
        return view
    }

    package func error(
        _ code: SardonyxError.Code, _ what: String, got: String? = nil, allowed: String? = nil, hint: String? = nil
    ) -> SardonyxError {
        SardonyxError(code, label, what, got: got, allowed: allowed, hint: hint)
    }
}

/// A reason to stop early, checked before every node and inside long operators.
package protocol Interruption: AnyObject, Sendable {
    func check() throws(SardonyxError)
}

/// The most memory that a session's values may take, checked before it is asked for.
package struct MemoryBudget: Sendable, Hashable {
    package let byteCount: Int

    package init(byteCount: Int) { self.byteCount = byteCount }

    package static let unlimited = MemoryBudget(byteCount: .max)

    /// - Throws: `limit` with bytes asked, budget and option name.
    package func check(_ bytes: Int, for place: String) throws(SardonyxError) {
        guard bytes > byteCount else { return }
        throw SardonyxError(
            .limit, place, "memory", got: "\(bytes) bytes", allowed: "\(byteCount) bytes in all",
            hint: "Raise it with --memory")
    }
}
