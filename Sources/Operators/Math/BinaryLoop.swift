import CKernels
import GraphIR
import TensorCore

/// y = f(a, b) over strided operands, collapsed to as few axes as possible. Made by `prepare`; `run` allocates nothing.
struct BinaryLoop: Sendable {
    let function: BinaryFunction
    private var dims: [Int64] = []
    private var stridesA: [Int64] = []
    private var stridesB: [Int64] = []
    private let count: Int

    /// Operands with element strides over the axes of y; y is contiguous.
    /// - Throws: `unsupported` when more axes remain than the kernel takes.
    init(
        _ function: BinaryFunction, dims: [Int], stridesA: [Int], stridesB: [Int], at place: some NodePlace
    ) throws(SardonyxError) {
        self.function = function
        self.count = dims.reduce(1, *)
        for axis in dims.indices where dims[axis] != 1 {
            let (extent, a, b) = (Int64(dims[axis]), Int64(stridesA[axis]), Int64(stridesB[axis]))
            if let last = self.dims.indices.last, self.stridesA[last] == a * extent, self.stridesB[last] == b * extent {
                self.dims[last] *= extent
                self.stridesA[last] = a
                self.stridesB[last] = b
            } else {
                self.dims.append(extent)
                self.stridesA.append(a)
                self.stridesB.append(b)
            }
        }
        guard self.dims.count <= Int(SX_BINARY_MAX_RANK) else {
            throw place.error(
                .unsupported, "broadcast axes", got: "\(self.dims.count)", allowed: "at most \(SX_BINARY_MAX_RANK)",
                hint: nil)
        }
    }

    /// Plain operands that broadcast to y.
    init(_ function: BinaryFunction, a: Shape, b: Shape, y: Shape, at place: some NodePlace) throws(SardonyxError) {
        try self.init(
            function, dims: y.dims, stridesA: Broadcast.strides(of: a, in: y),
            stridesB: Broadcast.strides(of: b, in: y),
            at: place)
    }

    /// - Throws: `value` for an integer divisor of zero, naming the element of y.
    func run(_ a: TensorView, _ b: TensorView, _ y: TensorView, _ context: RunContext) throws(SardonyxError) {
        guard count > 0 else { return }
        if y.dtype == .float32, a.dtype == .float32, b.dtype == .float32, let kernel = function.kernel {
            dims.withUnsafeBufferPointer { dims in
                stridesA.withUnsafeBufferPointer { stridesA in
                    stridesB.withUnsafeBufferPointer { stridesB in
                        sx_binary(
                            kernel, a.floats, b.floats, y.floats, Int32(dims.count), dims.baseAddress,
                            stridesA.baseAddress,
                            stridesB.baseAddress, Int32(context.threads))
                    }
                }
            }
            return
        }
        try context.placing { () throws(SardonyxError) in
            try withNumber(y.dtype, Outer(loop: self, a: a, b: b, y: y))
        }
    }

    private struct Outer: NumberBody {
        let loop: BinaryLoop
        let a, b, y: TensorView

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            guard b.dtype != y.dtype else { return try same(T.self) }
            try withNumber(b.dtype, MixedPower<T>(loop: loop, a: a, b: b, y: y))
        }

        /// The commonest functions have loops of their own, so that none is chosen element by element.
        private func same<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (a, b, y) = (a.typed(T.self), b.typed(T.self), y.typed(T.self))
            switch loop.function {
            case .add: try loop.walk(a, b, y, T.wrappingSum)
            case .subtract: try loop.walk(a, b, y, T.wrappingDifference)
            case .multiply: try loop.walk(a, b, y, T.wrappingProduct)
            case .minimum: try loop.walk(a, b, y, T.minimum)
            case .maximum: try loop.walk(a, b, y, T.maximum)
            default: try loop.walk(a, b, y) { loop.function($0, $1) }
            }
        }
    }

    /// Pow whose exponent has another type than its base.
    private struct MixedPower<Base: Number>: NumberBody {
        let loop: BinaryLoop
        let a, b, y: TensorView

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            try loop.walk(a.typed(Base.self), b.typed(T.self), y.typed(Base.self)) { base, exponent in
                Base.isInteger && T.isInteger
                    ? loop.function(base, Base(saturating: exponent.asDouble))
                    : Base(saturating: BinaryFunction.raised(base.asDouble, exponent.asDouble))
            }
        }
    }

    @inline(__always)
    private func walk<T: Number, U: Number>(
        _ a: UnsafeMutablePointer<T>, _ b: UnsafeMutablePointer<U>, _ y: UnsafeMutablePointer<T>, _ apply: (T, U) -> T
    ) throws(SardonyxError) {
        let checksZero = function.divides && T.isInteger
        var written = 0
        func step(_ axis: Int, _ offsetA: Int, _ offsetB: Int) throws(SardonyxError) {
            let extent = axis < dims.count ? Int(dims[axis]) : 1
            let strideA = axis < dims.count ? Int(stridesA[axis]) : 0
            let strideB = axis < dims.count ? Int(stridesB[axis]) : 0
            guard axis + 1 >= dims.count else {
                for i in 0..<extent { try step(axis + 1, offsetA + i * strideA, offsetB + i * strideB) }
                return
            }
            if !checksZero, strideA == 1, strideB == 1 {
                let (a, b, row) = (a + offsetA, b + offsetB, y + written)
                for i in 0..<extent { row[i] = apply(a[i], b[i]) }
                written += extent
                return
            }
            for i in 0..<extent {
                let divisor = b[offsetB + i * strideB]
                if checksZero, divisor == U.zero {
                    throw SardonyxError(
                        .value, "", "element \(written)", got: "\(a[offsetA + i * strideA]) / 0",
                        allowed: "a divisor other than 0")
                }
                y[written] = apply(a[offsetA + i * strideA], divisor)
                written += 1
            }
        }
        try step(0, 0, 0)
    }
}

extension TensorView {
    func typed<T>(_: T.Type) -> UnsafeMutablePointer<T> { pointer.assumingMemoryBound(to: T.self) }
}
