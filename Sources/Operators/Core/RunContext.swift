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
    /// By position: what the inputs are outside of plans; empty inside.
    package let inputValues: [RuntimeValue?]
    /// `Operator.scratchByteCount` bytes, 64-byte aligned.
    package var scratch: UnsafeMutableRawPointer?
    package var threads: Int
    /// Throws `cancelled` or `deadline`; long operators call it between their parts.
    package var interruption: Interruption?
    package let budget: MemoryBudget
    /// What `allocate` and `setOutput` made, by output position.
    package private(set) var made: [RuntimeValue?]

    package init(
        label: String, inputs: [TensorView?], outputs: [TensorView?], scratch: UnsafeMutableRawPointer? = nil,
        threads: Int, interruption: Interruption? = nil, budget: MemoryBudget, inputValues: [RuntimeValue?] = []
    ) {
        self.label = label
        self.inputs = inputs
        self.outputs = outputs
        self.scratch = scratch
        self.threads = threads
        self.interruption = interruption
        self.budget = budget
        self.inputValues = inputValues
        self.made = [RuntimeValue?](repeating: nil, count: outputs.count)
    }

    package func hasInput(_ index: Int) -> Bool {
        (index < inputs.count && inputs[index] != nil) || (index < inputValues.count && inputValues[index] != nil)
    }

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
        let tensor = try Tensor(resultOf: dtype, shape: shape)
        let view = TensorView(reading: tensor)
        made[index] = .tensor(tensor)
        outputs[index] = view
        return view
    }

    /// An input of any kind, which must be present. A tensor in the memory of a plan is only lent: it must not outlive
    /// the run.
    package func value(_ index: Int) throws(SardonyxError) -> RuntimeValue {
        if index < inputValues.count, let value = inputValues[index] { return value }
        let view = try input(index)
        let buffer = Buffer(lending: view.pointer, byteCount: view.elementCount * view.dtype.byteSize)
        return .tensor(Tensor(dtype: view.dtype, shape: view.shape, buffer: buffer))
    }

    /// Gives an output its value: copies it where a plan has memory for it, and hands it on elsewhere.
    /// - Throws: `shape` when the plan's memory is for another type or shape.
    package func setOutput(_ index: Int, _ value: RuntimeValue) throws(SardonyxError) {
        guard hasOutput(index) else {
            if index < made.count { made[index] = value }
            return
        }
        let target = try output(index)
        guard case .tensor(let tensor) = value, tensor.dtype == target.dtype, tensor.shape == target.shape else {
            throw error(.shape, "output \(index)", got: "\(value.type)", allowed: "\(target.dtype)\(target.shape)")
        }
        try TensorView(reading: tensor).copyElements(to: target, threads: threads)
        withExtendedLifetime(tensor) {}
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
