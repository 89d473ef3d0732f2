import TensorCore

/// Sums of products of one or two factors by nested loops: output labels outermost, summed labels inside.
struct EinsumLoops: Sendable {
    private let extents: [Int]
    private let outputCount: Int
    /// By loop; 0 where a factor lacks the label.
    private let strides: (a: [Int], b: [Int])

    init(
        output: [EinsumEquation.Label], summed: [EinsumEquation.Label], _ factors: [EinsumOperand],
        _ extents: [EinsumEquation.Label: Int]
    ) {
        // Loops of one turn, so that there is an innermost one of both kinds.
        func padded(_ values: [Int], _ neutral: Int) -> [Int] { values.isEmpty ? [neutral] : values }
        func strides(_ factor: Int) -> [Int] {
            let own = factor < factors.count ? factors[factor].strides : [:]
            return padded(output.map { own[$0] ?? 0 }, 0) + padded(summed.map { own[$0] ?? 0 }, 0)
        }
        self.extents = padded(output.map { extents[$0] ?? 1 }, 1) + padded(summed.map { extents[$0] ?? 1 }, 1)
        outputCount = max(output.count, 1)
        self.strides = (strides(0), strides(1))
    }

    /// `a` times `b`, or times 1.
    struct Body: NumberBody {
        let loops: EinsumLoops
        let a: UnsafeMutableRawPointer
        let b: UnsafeMutableRawPointer?
        let y: UnsafeMutableRawPointer
        let interruption: (any Interruption)?

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            var (one, y) = (T.one, y.assumingMemoryBound(to: T.self))
            let a = UnsafePointer(a.assumingMemoryBound(to: T.self))
            if let b = b?.assumingMemoryBound(to: T.self) {
                try walk(0, a, UnsafePointer(b), &y)
            } else {
                try walk(0, a, &one, &y)
            }
        }

        private func walk<T: Number>(
            _ loop: Int, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ y: inout UnsafeMutablePointer<T>
        ) throws(SardonyxError) {
            let (stepA, stepB, count) = (loops.strides.a[loop], loops.strides.b[loop], loops.extents[loop])
            guard loop == loops.outputCount - 1 else {
                for index in 0..<count { try walk(loop + 1, a + index * stepA, b + index * stepB, &y) }
                return
            }
            try interruption?.check()
            if loops.extents.count == loops.outputCount + 1, loops.extents[loop + 1] == 1 {
                for index in 0..<count { y[index] = T.wrappingProduct(a[index * stepA], b[index * stepB]) }
            } else {
                for index in 0..<count { y[index] = sum(loop + 1, a + index * stepA, b + index * stepB) }
            }
            y += count
        }

        private func sum<T: Number>(_ loop: Int, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>) -> T {
            let (stepA, stepB, count) = (loops.strides.a[loop], loops.strides.b[loop], loops.extents[loop])
            var total = T.zero
            if loop == loops.extents.count - 1 {
                for index in 0..<count {
                    total = T.wrappingSum(total, T.wrappingProduct(a[index * stepA], b[index * stepB]))
                }
            } else {
                for index in 0..<count {
                    total = T.wrappingSum(total, sum(loop + 1, a + index * stepA, b + index * stepB))
                }
            }
            return total
        }
    }
}
