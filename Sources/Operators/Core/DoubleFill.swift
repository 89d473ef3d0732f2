import CKernels
import TensorCore

extension RunContext {
    /// Sets every element of a plain view of any type that `sx_cast` knows, in order, to a number rounded to its type.
    @inline(__always)
    func fill(_ view: TensorView, from value: (Int) -> Double) throws(SardonyxError) {
        guard let type = view.dtype.kernelType else {
            throw error(.unsupported, "output element type", got: "\(view.dtype)", allowed: "a number type")
        }
        let chunk = 1024
        var start = 0
        while start < view.elementCount {
            try interruption?.check()
            let count = min(chunk, view.elementCount - start)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: chunk) { values in
                for i in 0..<count { values[i] = value(start + i) }
                sx_cast(
                    SX_TYPE_FLOAT64, type, values.baseAddress, view.pointer + start * view.dtype.byteSize, Int64(count),
                    1)
            }
            start += count
        }
    }
}

extension RunContext {
    /// Sets every element of a plain view, in order, from the element of another one of the same shape, as `fill` does.
    @inline(__always)
    func map(_ source: TensorView, to view: TensorView, _ value: (Double) -> Double) throws(SardonyxError) {
        guard let from = source.dtype.kernelType, let type = view.dtype.kernelType else {
            throw error(.unsupported, "element type", got: "\(source.dtype)", allowed: "a number type")
        }
        let chunk = 1024
        for start in stride(from: 0, to: view.elementCount, by: chunk) {
            try interruption?.check()
            let count = min(chunk, view.elementCount - start)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: chunk) { values in
                sx_cast(
                    from, SX_TYPE_FLOAT64, source.pointer + start * source.dtype.byteSize, values.baseAddress,
                    Int64(count), 1)
                for i in 0..<count { values[i] = value(values[i]) }
                sx_cast(
                    SX_TYPE_FLOAT64, type, values.baseAddress, view.pointer + start * view.dtype.byteSize,
                    Int64(count), 1)
            }
        }
    }

    /// The single element of a floating-point input.
    /// - Throws: `shape` when there is not exactly one element, `unsupported` for other element types.
    func scalar(_ index: Int) throws(SardonyxError) -> Double {
        let view = try input(index)
        guard view.elementCount == 1 else {
            throw error(.shape, "input \(index)", got: "\(view.shape)", allowed: "1 element")
        }
        guard let type = view.dtype.kernelType else {
            throw error(.unsupported, "input \(index) element type", got: "\(view.dtype)", allowed: "a number type")
        }
        var value = 0.0
        sx_cast(type, SX_TYPE_FLOAT64, view.pointer, &value, 1, 1)
        return value
    }
}
