import TensorCore

/// What ScatterElements and ScatterND do with an update where data is already.
enum ScatterReduction: String, CaseIterable, Sendable {
    case none, add, mul, max, min

    /// `target[element] = target[element] (op) updates[position]`, for positions in order.
    struct Body<Walk: ScatterWalk>: NumericBody {
        let reduction: ScatterReduction
        let updates: TensorView
        let output: TensorView
        let walk: Walk

        func run<T: NumericElement>(_ type: T.Type) {
            let source = updates.pointer.assumingMemoryBound(to: T.self)
            let target = output.pointer.assumingMemoryBound(to: T.self)
            switch reduction {
            case .none: walk.forEach { target[$1] = source[$0] }
            case .add: walk.forEach { target[$1] = T.wrappingSum(target[$1], source[$0]) }
            case .mul: walk.forEach { target[$1] = T.wrappingProduct(target[$1], source[$0]) }
            case .max:
                walk.forEach {
                    if !target[$1].isNaN, source[$0].isNaN || source[$0] > target[$1] { target[$1] = source[$0] }
                }
            case .min:
                walk.forEach {
                    if !target[$1].isNaN, source[$0].isNaN || source[$0] < target[$1] { target[$1] = source[$0] }
                }
            }
        }
    }

    private struct Move<Walk: ScatterWalk>: StorageBody {
        let updates: TensorView
        let output: TensorView
        let walk: Walk

        func run<T>(_ type: T.Type) {
            let source = updates.pointer.assumingMemoryBound(to: T.self)
            let target = output.pointer.assumingMemoryBound(to: T.self)
            walk.forEach { target[$1] = source[$0] }
        }
    }

    /// Applies all updates, whose addresses have been checked.
    /// - Throws: `unsupported` for a reduction of elements that are not numbers.
    func apply(_ updates: TensorView, to output: TensorView, _ walk: some ScatterWalk) throws(SardonyxError) {
        if self == .none {
            try withStorageType(output.dtype, Move(updates: updates, output: output, walk: walk))
        } else if output.dtype == .bool {
            // On 0 and 1, adding saturates: or and and.
            let either = self == .add || self == .max
            let (source, target) = (updates.elements(Bool.self), output.elements(Bool.self))
            walk.forEach { target[$1] = either ? target[$1] || source[$0] : target[$1] && source[$0] }
        } else {
            try withNumericType(output.dtype, Body(reduction: self, updates: updates, output: output, walk: walk))
        }
    }
}

/// The pairs of update position and data element of a scatter.
protocol ScatterWalk {
    func forEach(_ body: (_ position: Int, _ element: Int) -> Void)
}
