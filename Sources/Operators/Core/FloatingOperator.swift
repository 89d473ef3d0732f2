import TensorCore

/// An operator from input 0 to output 0 of the same shape, written once for float32 and float64.
protocol FloatingOperator: Operator {
    /// - Parameters:
    ///   - x: plain elements of input 0.
    ///   - y: those of output 0; every one is written.
    func apply<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ context: RunContext
    ) throws(SardonyxError)
}

extension FloatingOperator {
    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0 else { return }
        if x.dtype == .float64 {
            try apply(x.typed(Double.self), y.typed(Double.self), context)
        } else {
            try apply(x.floats, y.floats, context)
        }
    }
}
