import Glibc
import GraphIR
import TensorCore

/// ONNX LRN (1, 13): y = x / (bias + alpha / size · sum of x² over `size` neighbouring channels)^beta, x `[N, C, d…]`.
struct LRN: FloatingOperator {
    static let elementTypes: [DType] = DType.floating
    private let alpha, beta, bias: Double
    private let size: Int
    private var extents: (batch: Int, channels: Int, inner: Int) = (0, 0, 0)

    init(_ node: NodeReader) throws(SardonyxError) {
        alpha = Double(try node.float("alpha", default: 0.0001))
        beta = Double(try node.float("beta", default: 0.75))
        bias = Double(try node.float("bias", default: 1))
        size = try node.required("size", try node.int("size"))
        guard 1...CheckedSize.maximumElements ~= size else {
            throw node.error(.value, "attribute size", got: "\(size)", allowed: "1 or more")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        return [Inferred(try context.input(0).type)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0).shape
        guard x.elementCount > 0 else { return }
        extents = (x[0], x[1], x.elementCount / (x[0] * x[1]))
    }

    func apply<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutablePointer<T>, _ y: UnsafeMutablePointer<T>, _ context: RunContext
    ) throws(SardonyxError) {
        let (batch, channels, inner) = extents
        for n in 0..<batch {
            for c in 0..<channels {
                let window = max(0, c - (size - 1) / 2)...min(channels - 1, c + size / 2)
                try context.interruption?.check()
                for i in 0..<inner {
                    var sum = 0.0
                    for neighbour in window {
                        let value = Double(x[(n * channels + neighbour) * inner + i])
                        sum += value * value
                    }
                    let at = (n * channels + c) * inner + i
                    y[at] = T(Double(x[at]) / pow(bias + alpha / Double(size) * sum, beta))
                }
            }
        }
    }
}
