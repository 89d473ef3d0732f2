import GraphIR
import Operators
import TensorCore

/// Whether a computed tensor is the expected one: `|a − e| ≤ atol + rtol·|e|` for floats, as numpy's `assert_allclose`;
/// equality for all else. NaN is equal to NaN.
package struct TensorComparison: Sendable {
    package var relative: Double
    package var absolute: Double

    /// The tolerances of the ONNX backend tests.
    package init(relative: Double = 1e-3, absolute: Double = 1e-7) {
        self.relative = relative
        self.absolute = absolute
    }

    /// The largest difference from this expected number.
    func bound(for expected: Double) -> Double { absolute + relative * abs(expected) }

    /// What differs first, or `nil` when nothing does; sequences are compared element by element.
    package func difference(_ actual: RuntimeValue, _ expected: RuntimeValue) throws(SardonyxError) -> String? {
        switch (actual, expected) {
        case (.tensor(let actual), .tensor(let expected)): return try difference(actual, expected)
        case (.sequence(let actual), .sequence(let expected)):
            guard actual.dtype == expected.dtype, actual.count == expected.count else {
                return "got \(actual.count) of \(actual.dtype), expected \(expected.count) of \(expected.dtype)"
            }
            for (index, pair) in zip(actual.elements, expected.elements).enumerated() {
                if let difference = try difference(pair.0, pair.1) { return "tensor \(index): \(difference)" }
            }
            return nil
        case (.absent, .absent): return nil
        default: return "got \(actual.type), expected \(expected.type)"
        }
    }

    /// What differs first, or `nil` when nothing does.
    package func difference(_ actual: Tensor, _ expected: Tensor) throws(SardonyxError) -> String? {
        guard actual.dtype == expected.dtype, actual.shape == expected.shape else {
            return "got \(actual.dtype)\(actual.shape), expected \(expected.dtype)\(expected.shape)"
        }
        let count = actual.shape.elementCount
        if actual.dtype == .string {
            let (a, e) = (actual.elements(of: String.self), expected.elements(of: String.self))
            return (0..<count).first { a[$0] != e[$0] }.map { "element \($0): got '\(a[$0])', expected '\(e[$0])'" }
        }
        if actual.dtype == .complex64 || actual.dtype == .complex128 {
            return difference(parts(actual), parts(expected))
        }
        guard actual.dtype.isFloatingPoint else {
            let (a, e) = (try cast(actual, Int64.self), try cast(expected, Int64.self))
            return (0..<count).first { a[$0] != e[$0] }.map { "element \($0): got \(a[$0]), expected \(e[$0])" }
        }
        return difference(try cast(actual, Double.self), try cast(expected, Double.self))
    }

    private func difference(_ a: [Double], _ e: [Double]) -> String? {
        let differs = a.indices.first { index in
            if a[index].isNaN || e[index].isNaN { return a[index].isNaN != e[index].isNaN }
            if a[index] == e[index] { return false }
            return !(abs(a[index] - e[index]) <= bound(for: e[index]))
        }
        return differs.map { "element \($0): got \(a[$0]), expected \(e[$0])" }
    }

    private func parts(_ tensor: Tensor) -> [Double] {
        let count = 2 * tensor.shape.elementCount
        if tensor.dtype == .complex128 {
            return Array(UnsafeBufferPointer(start: tensor.pointer.assumingMemoryBound(to: Double.self), count: count))
        }
        return UnsafeBufferPointer(start: tensor.pointer.assumingMemoryBound(to: Float.self), count: count).map(
            Double.init)
    }

    private func cast<T: TensorElement>(_ tensor: Tensor, _: T.Type) throws(SardonyxError) -> [T] {
        let count = tensor.shape.elementCount
        let buffer = try Buffer(byteCount: count * MemoryLayout<T>.stride)
        try ElementCast(from: tensor.dtype, to: T.dtype, at: Unplaced())
            .run(from: tensor.pointer, to: buffer.pointer, count: count, threads: 1)
        defer { withExtendedLifetime((tensor, buffer)) {} }
        return Array(UnsafeBufferPointer(start: buffer.pointer.assumingMemoryBound(to: T.self), count: count))
    }

    struct Unplaced: NodePlace {
        func error(_ code: SardonyxError.Code, _ what: String, got: String?, allowed: String?, hint: String?)
            -> SardonyxError
        {
            SardonyxError(code, "comparison", what, got: got, allowed: allowed, hint: hint)
        }
    }
}
