import CKernels
import TensorCore

extension RunContext {
    /// Sets every element of a plain view of any type that `sx_cast` knows, in order, to a number rounded to its type.
    @inline(__always)
    func fill(_ view: TensorView, from value: (Int) -> Double) throws(SardonyxError) {
        let type = try kernelType(of: view)
        for start in stride(from: 0, to: view.elementCount, by: block) {
            try interruption?.check()
            view.set(start..<min(start + block, view.elementCount), type, value)
        }
    }

    /// Calls `body` for ranges of elements that `TensorView.set` takes, on the node's threads and in any order.
    func fillInParallel(
        _ view: TensorView, _ body: @Sendable (Range<Int>, sx_type) -> Void
    ) throws(SardonyxError) {
        let type = try kernelType(of: view)
        try inParallel(view.elementCount, cost: 16_384 / block) { body($0, type) }
    }

    private func kernelType(of view: TensorView) throws(SardonyxError) -> sx_type {
        guard let type = view.dtype.kernelType else {
            throw error(.unsupported, "element type", got: "\(view.dtype)", allowed: "a number type")
        }
        return type
    }
}

/// How many elements are converted at once.
private let block = 1024

extension TensorView {
    /// Sets at most `block` elements.
    @inline(__always)
    func set(_ elements: Range<Int>, _ type: sx_type, _ value: (Int) -> Double) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { values in
            guard let values = values.baseAddress else { return }
            let first = elements.lowerBound
            for i in 0..<elements.count { values[i] = value(first + i) }
            let target = pointer + first * dtype.byteSize
            sx_cast(SX_TYPE_FLOAT64, type, values, target, Int64(elements.count), 1)
        }
    }
}

extension RunContext {
    /// Sets every element of a plain view, in order, from the element of another one of the same shape, as `fill` does:
    /// `change` gets some of them at a time.
    @inline(__always)
    func map(
        _ source: TensorView, to view: TensorView, _ change: (UnsafeMutableBufferPointer<Double>) -> Void
    ) throws(SardonyxError) {
        let (from, type) = (try kernelType(of: source), try kernelType(of: view))
        for start in stride(from: 0, to: view.elementCount, by: block) {
            try interruption?.check()
            let count = min(block, view.elementCount - start)
            withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { values in
                let values = UnsafeMutableBufferPointer(rebasing: values[..<count])
                let input = source.pointer + start * source.dtype.byteSize
                sx_cast(from, SX_TYPE_FLOAT64, input, values.baseAddress, Int64(count), 1)
                change(values)
                let output = view.pointer + start * view.dtype.byteSize
                sx_cast(SX_TYPE_FLOAT64, type, values.baseAddress, output, Int64(count), 1)
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
