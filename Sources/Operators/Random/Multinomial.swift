import Glibc
import GraphIR
import TensorCore

/// ONNX Multinomial (7, 22): for each row of unnormalised log-probabilities `[batch, classes]`, `sample_size` classes
/// drawn with replacement, `[batch, sample_size]`.
struct Multinomial: Operator {
    static let elementTypes: [DType] = DType.floating
    private let samples: Int
    private let dtype: DType
    private let seed: UInt32?

    init(_ node: NodeReader) throws(SardonyxError) {
        samples = try node.int("sample_size", default: 1)
        dtype = try node.outputType(DType.indices) ?? .int32
        seed = try node.randomSeed()
        guard samples >= 0 else {
            throw node.error(.value, "attribute sample_size", got: "\(samples)", allowed: "0 or more")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let x = try context.dims(0, rank: 2, "input")
        return [Inferred(dtype, [x[0], .known(samples)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let (batch, classes) = (x.shape[0], x.shape[1])
        let y = try context.output(0, dtype: dtype, shape: try context.shape(of: [batch, samples]))
        guard y.elementCount > 0 else { return }
        guard classes > 0 else {
            throw context.error(.shape, "input", got: "\(x.shape)", allowed: "at least one class")
        }
        let work = try context.working(Double.self, count: classes)
        let sums = work.pointer.assumingMemoryBound(to: Double.self)
        var generator = MersenneTwister(seed: seed)
        try context.fill(y) { index in
            if index % samples == 0 { accumulate(x, row: index / samples, classes, sums) }
            return Double(drawn(generator.uniform() * sums[classes - 1], sums, classes))
        }
        withExtendedLifetime(work) {}
    }

    /// Running sums of a row's probabilities, the greatest taken as 1.
    private func accumulate(_ x: TensorView, row: Int, _ classes: Int, _ sums: UnsafeMutablePointer<Double>) {
        var greatest = -Double.infinity
        for c in 0..<classes { greatest = max(greatest, x.double(row * classes + c)) }
        var sum = 0.0
        for c in 0..<classes {
            sum += exp(x.double(row * classes + c) - greatest)
            sums[c] = sum
        }
    }

    /// The first class whose running sum is above a number.
    private func drawn(_ number: Double, _ sums: UnsafeMutablePointer<Double>, _ classes: Int) -> Int {
        var (low, high) = (0, classes - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > number { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
