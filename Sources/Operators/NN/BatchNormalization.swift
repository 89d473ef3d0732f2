import CKernels
import GraphIR
import TensorCore

/// ONNX BatchNormalization in its inference form (1, 6, 7, 9, 14, 15): x `[N, C, d…]`, scale, bias, mean and variance
/// `[C]`; y = (x - mean) / sqrt(variance + epsilon) scale + bias. With `spatial` 0 (before opset 9) every element of an
/// image is a channel of its own.
struct BatchNormalization: Operator {
    private let epsilon: Float
    private let spatial: Bool
    private var extents: (batch: Int, channels: Int, inner: Int) = (0, 0, 0)
    private var blocked = false

    init(_ node: NodeReader) throws(SardonyxError) {
        epsilon = try node.float("epsilon", default: 1e-5)
        spatial = node.opset < 9 ? try node.bool("spatial", default: true) : true
        let trains =
            node.opset >= 14 ? try node.bool("training_mode", default: false) : (1..<5).contains(where: node.hasOutput)
        guard !trains else {
            throw node.error(
                .unsupported, "training mode", got: "statistics to be updated", allowed: "the inference form")
        }
    }

    private func channels(_ dims: [Int]) -> Int {
        spatial ? (dims.count > 1 ? dims[1] : 1) : dims.dropFirst().reduce(1, *)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(0, DType.floating, "input")
        try context.requireRank(0, 1...64, "input")
        if let x = try context.shape(0)?.concrete() {
            for (index, role) in [(1, "scale"), (2, "bias"), (3, "mean"), (4, "variance")] {
                guard let shape = try context.shape(index)?.concrete(), shape.elementCount != channels(x.dims) else {
                    continue
                }
                throw context.error(
                    .shape, role, got: "\(shape)", allowed: "\(channels(x.dims)) elements for the input \(x)")
            }
        }
        for index in 1...4 { try context.requireDType(index, DType.floating, "input \(index)") }
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        let channels = channels(x.shape.dims)
        guard x.shape.elementCount > 0 else { return }
        let batch = x.shape.rank > 1 ? x.shape[0] : 1
        extents = (batch, channels, x.shape.elementCount / (batch * channels))
        blocked = x.layout == .blocked16
        if x.dtype == .float64 { return }
        for index in 1...4 where try context.input(index).dtype != .float32 {
            throw context.error(
                .unsupported, "input \(index)", got: "\(try context.input(index).dtype)", allowed: "\(x.dtype)")
        }
    }

    /// Scale and shift of every channel.
    var scratchByteCount: Int { 2 * extents.channels * 4 }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0 else { return }
        let (scale, bias) = (try context.input(1), try context.input(2))
        let (mean, variance) = (try context.input(3), try context.input(4))
        let (batch, channels, inner) = extents
        guard x.dtype == .float32, let scratch = context.scratch else {
            let (x, y) = (x.elements(Double.self), y.elements(Double.self))
            for i in x.indices {
                let c = i / inner % channels
                let factor = scale.double(c) / (variance.double(c) + Double(epsilon)).squareRoot()
                y[i] = (x[i] - mean.double(c)) * factor + bias.double(c)
            }
            return
        }
        let factors = scratch.assumingMemoryBound(to: Float.self)
        for c in 0..<channels {
            factors[c] = scale.floats[c] / (variance.floats[c] + epsilon).squareRoot()
            factors[channels + c] = bias.floats[c] - mean.floats[c] * factors[c]
        }
        sx_channel_affine(
            x.floats, factors, factors + channels, y.floats, Int64(batch), Int64(channels), Int64(inner), blocked,
            Int32(context.threads))
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4, spatial else { return nil }
        return LayoutChoice(
            inputs: [x.layout] + [Layout](repeating: .plain, count: inputs.count - 1), outputs: [x.layout])
    }
}

extension TensorView {
    /// An element of a float32 or float64 view.
    func double(_ index: Int) -> Double {
        dtype == .float64 ? typed(Double.self)[index] : Double(floats[index])
    }
}
