import CKernels
import TensorCore

/// Where the positions of one axis fall when it is resampled bilinearly with half-pixel centres and no antialiasing:
/// output i reads input start + (i + 0.5) · length / outputs − 0.5, held at the first input and the last.
struct ResampleAxis: Sendable {
    let inputs: Int
    let outputs: Int
    private let storage: Buffer
    private let paddedCount: Int

    /// - Parameters:
    ///   - inputs: at least 1; so `outputs`.
    ///   - start: where the outputs begin, in inputs.
    ///   - length: inputs that the outputs extend over; `nil` means all.
    /// - Throws: `limit` when there is no memory.
    init(inputs: Int, outputs: Int, start: Double = 0, length: Double? = nil) throws(SardonyxError) {
        let lanes = Int(SX_DETECT_LANES)
        // The kernels read whole vectors from any output on.
        guard inputs <= Int(Int32.max) / 4,
            let padded = CheckedSize.roundUp(outputs, to: lanes).flatMap({ CheckedSize.sum($0, lanes) }),
            let bytes = CheckedSize.product(padded, 8)
        else {
            throw SardonyxError(.limit, "resampling", "axis length", got: "\(inputs) to \(outputs)")
        }
        self.inputs = inputs
        self.outputs = outputs
        self.paddedCount = padded
        self.storage = try Buffer(byteCount: bytes)
        let scale = length.map { Float($0 / Double(outputs)) } ?? Float(inputs) / Float(outputs)
        let first = Float(start - 0.5)
        for output in 0..<padded {
            let source = max((Float(min(output, outputs - 1)) + 0.5) * scale + first, 0)
            let index = min(CheckedSize.integer(source) ?? 0, inputs - 1)
            indices[output] = Int32(index)
            weights[output] = min(source - Float(index), 1)
        }
    }

    /// Input below each output, padded as the kernels want it; valid while the axis lives.
    private var indices: UnsafeMutablePointer<Int32> { storage.pointer.assumingMemoryBound(to: Int32.self) }
    private var weights: UnsafeMutablePointer<Float> {
        (storage.pointer + paddedCount * 4).assumingMemoryBound(to: Float.self)
    }

    func index(_ output: Int) -> Int { Int(indices[output]) }
    func weight(_ output: Int) -> Float { weights[output] }

    /// The axis from `output` on, for the kernels; valid while the axis lives.
    func kernelAxis(from output: Int = 0) -> sx_detect_axis {
        sx_detect_axis(index: indices + output, weight: weights + output)
    }

    /// The first output whose lower input is at least `input` (`outputs` if there is none).
    func firstOutput(from input: Int) -> Int {
        var (low, high) = (0, outputs)
        while low < high {
            let middle = (low + high) / 2
            if index(middle) < input { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
