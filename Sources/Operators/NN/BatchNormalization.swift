import CKernels
import GraphIR
import TensorCore

/// ONNX BatchNormalization (1, 6, 7, 9, 14, 15): x `[N, C, d…]`, scale, bias, mean and variance `[C]`;
/// y = (x - mean) / sqrt(variance + epsilon) scale + bias. With `spatial` 0 (before opset 9) every element of an
/// image is a channel of its own.
///
/// In training (`training_mode` from opset 14 on, before that more than one output) mean and variance are those of x,
/// and outputs 1 and 2 are the inputs' moved towards them by 1 - momentum; outputs 3 and 4 (before 14) are those of x.
struct BatchNormalization: Operator {
    static let elementTypes: [DType] = DType.floating
    private let epsilon: Float
    private let momentum: Double
    private let spatial: Bool
    private let trains: Bool
    private var extents: (batch: Int, channels: Int, inner: Int) = (0, 0, 0)
    private var blocked = false

    init(_ node: NodeReader) throws(SardonyxError) {
        epsilon = try node.float("epsilon", default: 1e-5)
        momentum = Double(try node.float("momentum", default: 0.9))
        spatial = node.opset < 9 ? try node.bool("spatial", default: true) : true
        trains =
            node.opset >= 14 ? try node.bool("training_mode", default: false) : (1..<5).contains(where: node.hasOutput)
        guard trains || !(1..<5).contains(where: node.hasOutput) else {
            throw node.error(.graph, "outputs", got: "\(node.outputCount)", allowed: "1 where training_mode is 0")
        }
    }

    private func channels(_ dims: [Int]) -> Int {
        spatial ? (dims.count > 1 ? dims[1] : 1) : dims.dropFirst().reduce(1, *)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
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
        let statistics = [Inferred(try context.input(3).type), Inferred(try context.input(4).type)]
        return [Inferred(try context.input(0).type)] + (trains ? statistics + statistics : [])
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

    /// Mean and variance, then scale and shift, of every channel.
    var scratchByteCount: Int { extents.channels * (2 * 8 + 2 * 4) }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0 else { return }
        guard let scratch = context.scratch else { throw context.error(.internal, "no memory for factors") }
        let (scale, bias) = (try context.input(1), try context.input(2))
        let (batch, channels, inner) = extents
        let mean = scratch.assumingMemoryBound(to: Double.self)
        let variance = mean + channels
        for c in 0..<channels where !trains {
            mean[c] = try context.input(3).double(c)
            variance[c] = try context.input(4).double(c)
        }
        if trains {
            if x.dtype == .float64 {
                measure(x.typed(Double.self), mean, variance)
            } else {
                measure(x.floats, mean, variance)
            }
            try writeStatistics(mean, variance, context)
        }
        guard x.dtype == .float32 else {
            let (x, y) = (x.elements(Double.self), y.elements(Double.self))
            for i in x.indices {
                let c = i / inner % channels
                let factor = scale.double(c) / (variance[c] + Double(epsilon)).squareRoot()
                y[i] = (x[i] - mean[c]) * factor + bias.double(c)
            }
            return
        }
        let factors = (scratch + 2 * channels * 8).assumingMemoryBound(to: Float.self)
        for c in 0..<channels {
            factors[c] = scale.floats[c] / (Float(variance[c]) + epsilon).squareRoot()
            factors[channels + c] = bias.floats[c] - Float(mean[c]) * factors[c]
        }
        sx_channel_affine(
            x.floats, factors, factors + channels, y.floats, Int64(batch), Int64(channels), Int64(inner), blocked,
            Int32(context.threads))
    }

    /// Mean and variance of each channel of x, in two passes.
    private func measure<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ mean: UnsafeMutablePointer<Double>, _ variance: UnsafeMutablePointer<Double>
    ) {
        let (batch, channels, inner) = extents
        let count = Double(batch * inner)
        for c in 0..<channels {
            var sum = 0.0
            for n in 0..<batch {
                let row = x + (n * channels + c) * inner
                for i in 0..<inner { sum += Double(row[i]) }
            }
            let center = sum / count
            var squares = 0.0
            for n in 0..<batch {
                let row = x + (n * channels + c) * inner
                for i in 0..<inner { squares += (Double(row[i]) - center) * (Double(row[i]) - center) }
            }
            (mean[c], variance[c]) = (center, squares / count)
        }
    }

    private func writeStatistics(
        _ mean: UnsafeMutablePointer<Double>, _ variance: UnsafeMutablePointer<Double>, _ context: RunContext
    ) throws(SardonyxError) {
        for (index, measured) in [(1, mean), (2, variance)] where context.hasOutput(index) {
            let running = try context.input(index + 2)
            try context.fill(try context.output(index)) { c in
                running.double(c) * momentum + measured[c] * (1 - momentum)
            }
        }
        for (index, measured) in [(3, mean), (4, variance)] where context.hasOutput(index) {
            try context.fill(try context.output(index)) { measured[$0] }
        }
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input == 0 && inputs.first == outputs.first
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4, spatial, !trains else { return nil }
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
