import CKernels
import GraphIR
import TensorCore

/// ONNX GroupNormalization (18: scale and bias a group, 21: a channel) and InstanceNormalization (1, 6, 22: a group a
/// channel): x `[N, C, d…]` normalised over each group of channels of each image.
struct GroupNormalization: Operator {
    static let elementTypes: [DType] = DType.floating
    private let epsilon: Float
    /// `nil`: as many as channels.
    private let groups: Int?
    private let scalesGroups: Bool
    private var extents: (batch: Int, channels: Int, groups: Int, inner: Int) = (0, 0, 0, 0)

    init(_ node: NodeReader) throws(SardonyxError) {
        epsilon = try node.float("epsilon", default: 1e-5)
        let isGroup = node.node.opType == "GroupNormalization"
        groups = isGroup ? try node.required("num_groups", try node.int("num_groups")) : nil
        scalesGroups = isGroup && node.opset < 21
        if let groups, groups < 1 {
            throw node.error(.shape, "attribute num_groups", got: "\(groups)", allowed: "1 or more")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        if let channels = try context.shape(0)?.dims[1].value {
            if let groups, channels % groups != 0 {
                throw context.error(
                    .shape, "channels", got: "\(channels)", allowed: "a multiple of num_groups \(groups)")
            }
            let wanted = scalesGroups ? groups ?? channels : channels
            for (index, role) in [(1, "scale"), (2, "bias")] {
                guard let dims = try context.shape(index)?.knownDims, dims != [wanted] else { continue }
                throw context.error(.shape, role, got: "\(dims)", allowed: "[\(wanted)]")
            }
        }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0).shape
        guard x.elementCount > 0 else { return }
        extents = (x[0], x[1], groups ?? x[1], x.elementCount / (x[0] * x[1]))
    }

    /// Scale and bias spread over the channels.
    var scratchByteCount: Int { scalesGroups ? 2 * extents.channels * 4 : 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0 else { return }
        let (scale, bias) = (try context.input(1), try context.input(2))
        let (batch, channels, groups, inner) = extents
        let perGroup = channels / groups
        if x.dtype == .float64 {
            let row = perGroup * inner
            for index in 0..<batch * groups {
                RowStatistics(x.typed(Double.self) + index * row, row).normalize(
                    x.typed(Double.self) + index * row, y.typed(Double.self) + index * row, epsilon: Double(epsilon)
                ) { value, i in
                    let channel = index % groups * perGroup + i / inner
                    let at = scalesGroups ? channel / perGroup : channel
                    return value * scale.double(at) + bias.double(at)
                }
            }
            return
        }
        var (factors, shifts) = (scale.floats, bias.floats)
        if scalesGroups, let scratch = context.scratch?.assumingMemoryBound(to: Float.self) {
            for c in 0..<channels {
                scratch[c] = factors[c / perGroup]
                scratch[channels + c] = shifts[c / perGroup]
            }
            (factors, shifts) = (scratch, scratch + channels)
        }
        sx_group_norm(
            x.floats, factors, shifts, y.floats, Int64(batch), Int64(channels), Int64(groups), Int64(inner), epsilon,
            Int32(context.threads))
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }
}

/// Mean and variance of consecutive values, in two passes.
struct RowStatistics {
    let count: Int
    let mean: Double
    let variance: Double

    init(_ x: UnsafePointer<Double>, _ count: Int) {
        var (sum, squares) = (0.0, 0.0)
        for i in 0..<count { sum += x[i] }
        mean = sum / Double(count)
        for i in 0..<count { squares += (x[i] - mean) * (x[i] - mean) }
        variance = squares / Double(count)
        self.count = count
    }

    /// y[i] = finish((x[i] - mean) / sqrt(variance + epsilon), i)
    func normalize(
        _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, epsilon: Double, finish: (Double, Int) -> Double
    ) {
        let factor = 1 / (variance + epsilon).squareRoot()
        for i in 0..<count { y[i] = finish((x[i] - mean) * factor, i) }
    }
}
