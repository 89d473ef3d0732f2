import CKernels
import Glibc
import TensorCore

/// Rounds float32 numbers to float16 or bfloat16, where they stay float32: what an operator that the standard defines by
/// a function body has to do after each of the body's operators.
struct HalfRounding: Sendable {
    private let type: sx_type

    /// `nil` for other element types.
    init?(_ dtype: DType?) {
        switch dtype {
        case .float16: type = SX_TYPE_FLOAT16
        case .bfloat16: type = SX_TYPE_BFLOAT16
        default: return nil
        }
    }

    func round(_ numbers: UnsafeMutablePointer<Float>, _ count: Int) {
        let chunk = 1024
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: chunk) { halves in
            for first in stride(from: 0, to: count, by: chunk) {
                let size = Int64(min(chunk, count - first))
                sx_cast(SX_TYPE_FLOAT32, type, numbers + first, halves.baseAddress, size, 1)
                sx_cast(type, SX_TYPE_FLOAT32, halves.baseAddress, numbers + first, size, 1)
            }
        }
    }

    func rounded(_ number: Float) -> Float {
        var number = number
        round(&number, 1)
        return number
    }

    /// Softmax or its logarithm in place: ReduceMax, Sub, Exp, ReduceSum and Div, or Log and Sub.
    func softmax(_ row: UnsafeMutablePointer<Float>, _ count: Int, isLogarithmic: Bool = false) {
        guard count > 0 else { return }
        var largest: Float = 0
        sx_reduce(SX_REDUCE_MAX, row, &largest, 1, Int64(count), 1, 1)
        for i in 0..<count { row[i] -= largest }
        round(row, count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: isLogarithmic ? count : 1) { powers in
            guard let spare = powers.baseAddress else { return }
            let target = isLogarithmic ? spare : row
            sx_unary(sx_activation(op: SX_UNARY_EXP, a: 0, b: 0), row, target, Int64(count), 1)
            round(target, count)
            var sum = 0.0
            for i in 0..<count { sum += Double(target[i]) }
            let total = rounded(Float(sum))
            if isLogarithmic {
                let logarithm = rounded(logf(total))
                for i in 0..<count { row[i] -= logarithm }
            } else {
                for i in 0..<count { row[i] /= total }
            }
        }
        round(row, count)
    }
}
