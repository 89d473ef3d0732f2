import GraphIR
import TensorCore

extension InferContext {
    /// The type of the elements of a sequence, which may be the value of an optional.
    func sequenceElement(_ index: Int) throws(SardonyxError) -> ValueType {
        guard case .sequence(let element) = try input(index).type.held else {
            throw error(.graph, "input \(index) must be a sequence", got: "\(try input(index).type)")
        }
        return element
    }

    /// Checks a position in a sequence.
    func requirePosition(_ index: Int) throws(SardonyxError) {
        guard hasInput(index) else { return }
        try requireDType(index, [.int32, .int64], "position")
    }
}

extension RunContext {
    func tensor(_ index: Int) throws(SardonyxError) -> Tensor {
        let value = try value(index)
        guard case .tensor(let tensor) = value else {
            throw error(.graph, "input \(index) must be a tensor", got: "\(value.type)")
        }
        return tensor
    }

    func sequence(_ index: Int) throws(SardonyxError) -> TensorSequence {
        let value = try value(index)
        guard case .sequence(let sequence) = value else {
            if case .absent = value { throw error(.value, "input \(index) is an optional that holds nothing") }
            throw error(.graph, "input \(index) must be a sequence", got: "\(value.type)")
        }
        return sequence
    }

    /// A position in `0..<count`, counted from the back when it is negative; `nil` when the input is absent.
    /// - Throws: `value` when there is no such position.
    func position(_ index: Int, count: Int) throws(SardonyxError) -> Int? {
        guard let given = try integer(index) else { return nil }
        guard given >= -count, given < count else {
            throw error(
                .value, "position", got: "\(given)",
                allowed: count == 0 ? "none: the sequence is empty" : "\(-count) to \(count - 1)")
        }
        return given < 0 ? given + count : given
    }

    /// Puts a tensor at the end of a sequence, which is made if it is not there.
    /// - Throws: `limit` when the budget does not allow it, `value` for another element type.
    func append(_ tensor: Tensor, to sequence: inout TensorSequence?) throws(SardonyxError) {
        var longer = sequence ?? TensorSequence(tensor.dtype)
        sequence = nil
        try insert(tensor, at: longer.count, of: &longer)
        sequence = longer
    }

    /// - Throws: as `append`.
    func insert(_ tensor: Tensor, at index: Int, of sequence: inout TensorSequence) throws(SardonyxError) {
        let total = CheckedSize.sum(sequence.byteCount, tensor.byteCount, TensorSequence.elementOverhead)
        try budget.check(total ?? .max, for: label)
        do { try sequence.insert(tensor, at: index) } catch { throw error.placed(at: label) }
    }
}
