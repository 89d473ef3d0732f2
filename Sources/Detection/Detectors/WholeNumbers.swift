import TensorCore

/// One picture's share of an output of class indices, int64, int32 or float32; valid while the tensor lives.
struct WholeNumbers {
    let name: String
    /// Without the batch axis.
    let dims: [Int]
    private let values: UnsafeRawPointer
    private let dtype: DType

    /// - Throws: `input` for another type or rank, or a batch without that picture.
    init(_ tensor: Tensor, name: String, batchIndex: Int?, rank: Int) throws(SardonyxError) {
        guard [.int64, .int32, .float32].contains(tensor.dtype) else {
            throw SardonyxError(
                .input, "output '\(name)'", "type", got: "\(tensor.dtype)", allowed: "int64, int32, float32")
        }
        let share = try HeadTensor.share(of: tensor, name: name, batchIndex: batchIndex, rank: rank)
        self.name = name
        dims = share.dims
        dtype = tensor.dtype
        values = tensor.pointer + share.offset * tensor.dtype.byteSize
    }

    /// The number at a position of the share.
    /// - Throws: `input` for a float that is not whole.
    func number(_ index: Int) throws(SardonyxError) -> Int {
        switch dtype {
        case .int64: return Int(values.assumingMemoryBound(to: Int64.self)[index])
        case .int32: return Int(values.assumingMemoryBound(to: Int32.self)[index])
        default:
            let value = values.assumingMemoryBound(to: Float.self)[index]
            guard let number = Int(exactly: value) else {
                throw SardonyxError(
                    .input, "output '\(name)'", "class index", got: "\(value)", allowed: "whole numbers")
            }
            return number
        }
    }
}
