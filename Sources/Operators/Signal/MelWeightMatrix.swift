import Glibc
import GraphIR
import TensorCore

/// ONNX MelWeightMatrix (17): triangular filters `[dft_length / 2 + 1, num_mel_bins]` at even steps of the mel scale.
struct MelWeightMatrix: Operator {
    static let elementTypes: [DType] = DType.indices
    private let dtype: DType

    init(_ node: NodeReader) throws(SardonyxError) {
        dtype = try node.dtype("output_datatype") ?? .float32
        guard DType.numeric.contains(dtype) else {
            throw node.error(.unsupported, "output_datatype", got: "\(dtype)", allowed: "a number type")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for (index, role) in ["num_mel_bins", "dft_length", "sample_rate"].enumerated() {
            try context.requireDType(index, DType.indices, role)
        }
        for (index, role) in [(3, "lower_edge_hertz"), (4, "upper_edge_hertz")] {
            try context.requireDType(index, DType.floating, role)
        }
        let bins = try context.integers(0)?.first
        let length = try context.integers(1)?.first
        return [
            Inferred(dtype, [length.map { .known($0 / 2 + 1) } ?? .unknown, bins.map { .known($0) } ?? .unknown])
        ]
    }

    private static func mel(_ hertz: Double) -> Double { 2595 * log1p(hertz / 700) / log(10) }
    private static func hertz(_ mel: Double) -> Double { 700 * expm1(mel / 2595 * log(10)) }

    func run(_ context: RunContext) throws(SardonyxError) {
        var counts: [Int] = []
        for (index, role) in ["num_mel_bins", "dft_length", "sample_rate"].enumerated() {
            guard let value = try context.integer(index), value >= 1 else {
                throw context.error(.value, role, got: "\(try context.integers(index) ?? [])", allowed: "1 or more")
            }
            counts.append(value)
        }
        let (bins, length, rate) = (counts[0], counts[1], counts[2])
        let spectrum = length / 2 + 1
        let y = try context.output(0, dtype: dtype, shape: try context.shape(of: [spectrum, bins]))
        let (low, high) = (MelWeightMatrix.mel(try context.scalar(3)), MelWeightMatrix.mel(try context.scalar(4)))
        let step = (high - low) / (Double(bins) + 2)
        var edges: [Int] = []
        try context.budget.check(CheckedSize.product(bins, 16) ?? .max, for: context.label)
        for bin in 0..<(bins + 2) {
            let position = (Double(length) + 1) * MelWeightMatrix.hertz(low + Double(bin) * step) / Double(rate)
            guard let edge = Int(exactly: position.rounded(.down)), edge >= 0 else {
                throw context.error(
                    .value, "edge of mel bin \(bin)", got: "\(position)", allowed: "a bin of the spectrum")
            }
            edges.append(edge)
        }
        y.fill(with: [UInt64(0)], threads: 1)
        // Each triangle touches few rows of its column.
        let cast = try ElementCast(from: .float64, to: dtype, at: context)
        for bin in 0..<bins {
            let (left, center, right) = (edges[bin], edges[bin + 1], edges[bin + 2])
            let (first, last) = (min(left, center), max(min(center, spectrum) + 1, right))
            guard first < min(last, spectrum) else { continue }
            for j in first..<min(last, spectrum) {
                var weight: Double
                if j >= center, j < right {
                    weight = Double(right - j) / Double(right - center)
                } else if j == center {
                    weight = 1
                } else {
                    weight = j >= left && j < center ? Double(j - left) / Double(center - left) : 0
                }
                if dtype == .float32 {
                    y.floats[j * bins + bin] = Float(weight)
                } else {
                    try cast.run(
                        from: &weight, to: y.pointer + (j * bins + bin) * dtype.byteSize, count: 1, threads: 1)
                }
            }
        }
    }
}
