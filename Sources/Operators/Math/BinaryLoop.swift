import CKernels
import GraphIR
import Synchronization
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
            try withNumber(y.dtype, Outer(loop: self, a: a, b: b, y: y, context: context))
        }
    }

    private struct Outer: NumberBody {
        let loop: BinaryLoop
        let a, b, y: TensorView
        let context: RunContext

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            guard b.dtype != y.dtype else { return try same(T.self) }
            try withNumber(b.dtype, MixedPower<T>(outer: self))
        }

        /// The commonest functions have loops of their own, so that none is chosen element by element.
        private func same<T: Number>(_ type: T.Type) throws(SardonyxError) {
            if loop.function.divides, T.isInteger {
                try loop.requireDivisors(a.typed(T.self), b.typed(T.self), context)
            }
            let (loop, function, a, b, y) = (loop, loop.function, a, b, y)
            try context.inParallel(loop.rows, loop.columns, cost: 4) { row, columns in
                let (a, b, y) = (a.typed(T.self), b.typed(T.self), y.typed(T.self))
                switch function {
                case .add: loop.map(row, columns, a, b, y) { T.wrappingSum($0, $1) }
                case .subtract: loop.map(row, columns, a, b, y) { T.wrappingDifference($0, $1) }
                case .multiply: loop.map(row, columns, a, b, y) { T.wrappingProduct($0, $1) }
                case .divide: loop.map(row, columns, a, b, y) { T.quotient($0, $1) }
                case .minimum: loop.map(row, columns, a, b, y) { T.minimum($0, $1) }
                case .maximum: loop.map(row, columns, a, b, y) { T.maximum($0, $1) }
                default: loop.map(row, columns, a, b, y) { function($0, $1) }
                }
            }
        }
    }

    /// Pow whose exponent has another type than its base.
    private struct MixedPower<Base: Number>: NumberBody {
        let outer: Outer

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (loop, a, b, y) = (outer.loop, outer.a, outer.b, outer.y)
            try outer.context.inParallel(loop.rows, loop.columns, cost: 64) { row, columns in
                loop.map(row, columns, a.typed(Base.self), b.typed(T.self), y.typed(Base.self)) { base, exponent in
                    Base.isInteger && T.isInteger
                        ? loop.function(base, Base(saturating: exponent.asDouble))
                        : Base(saturating: BinaryFunction.raised(base.asDouble, exponent.asDouble))
                }
            }
        }
    }
}

/// The loop as rows of its last axis.
extension BinaryLoop {
    private var columns: Int { dims.last.map { Int($0) } ?? 1 }
    private var rows: Int { count / columns }
    /// From an element of a row to the next.
    private var steps: (Int, Int) { (stridesA.last.map { Int($0) } ?? 0, stridesB.last.map { Int($0) } ?? 0) }

    private func offsets(row: Int) -> (Int, Int) {
        var (rest, a, b) = (row, 0, 0)
        for axis in dims.indices.dropLast().reversed() {
            let (quotient, position) = rest.quotientAndRemainder(dividingBy: Int(dims[axis]))
            (rest, a, b) = (quotient, a + position * Int(stridesA[axis]), b + position * Int(stridesB[axis]))
        }
        return (a, b)
    }

    /// A part of a row. `apply` is a literal in the body of a parallel loop: captured by it, it would be called.
    @inline(__always)
    private func map<T, U>(
        _ row: Int, _ columns: Range<Int>, _ a: UnsafePointer<T>, _ b: UnsafePointer<U>, _ y: UnsafeMutablePointer<T>,
        _ apply: (T, U) -> T
    ) {
        let (offsets, steps) = (offsets(row: row), steps)
        let (a, b, target) = (a + offsets.0, b + offsets.1, y + row * self.columns)
        if steps.0 == 1, steps.1 == 1 {
            for i in columns { target[i] = apply(a[i], b[i]) }
        } else {
            for i in columns { target[i] = apply(a[i * steps.0], b[i * steps.1]) }
        }
    }

    /// - Throws: `value` where a divisor is zero, with the first element of y that has one.
    private func requireDivisors<T: Number, U: Number>(
        _ a: UnsafeMutablePointer<T>, _ b: UnsafeMutablePointer<U>, _ context: RunContext
    ) throws(SardonyxError) {
        nonisolated(unsafe) let divisors = b
        let hasZero = Atomic(false)
        try context.inParallel(rows, columns, cost: 1) { row, columns in
            let (first, step) = (divisors + offsets(row: row).1, steps.1)
            var found = false
            for i in columns { found = found || first[i * step] == U.zero }
            if found { hasZero.store(true, ordering: .relaxed) }
        }
        guard hasZero.load(ordering: .relaxed) else { return }
        for element in 0..<count {
            let (row, i) = element.quotientAndRemainder(dividingBy: columns)
            let (offsetA, offsetB) = offsets(row: row)
            guard b[offsetB + i * steps.1] == U.zero else { continue }
            throw SardonyxError(
                .value, "", "element \(element)", got: "\(a[offsetA + i * steps.0]) / 0",
                allowed: "a divisor other than 0")
        }
    }
}

extension TensorView {
    func typed<T>(_: T.Type) -> UnsafeMutablePointer<T> { pointer.assumingMemoryBound(to: T.self) }
}
