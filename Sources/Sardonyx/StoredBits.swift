import TensorCore

extension DType {
    /// The type that NumPy files hold the elements' bits as.
    package var stored: DType {
        switch self {
        case .bfloat16: .uint16
        case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float6e2m3, .float6e3m2,
            .float4e2m1, .uint4, .uint2:
            .uint8
        case .int4, .int2: .int8
        default: self
        }
    }
}

extension Tensor {
    /// The same memory as elements of the type that NumPy files hold.
    package var bits: Tensor { bits(as: dtype.stored) }

    /// The same memory as elements of a type of the same size.
    package func bits(as dtype: DType) -> Tensor {
        dtype == self.dtype ? self : Tensor(dtype: dtype, shape: shape, buffer: buffer, byteOffset: byteOffset)
    }
}
