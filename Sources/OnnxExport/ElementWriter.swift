import GraphIR
import TensorCore

/// Takes bytes in turn.
typealias ByteSink = (UnsafeRawBufferPointer) throws(SardonyxError) -> Void

/// Writing of pieces and of elements in the standard's raw form: little-endian, types narrower than a byte packed with
/// the first element in the low bits.
enum ElementWriter {
    /// The bytes that a tensor takes in raw form; `nil` for strings.
    static func byteCount(_ constant: Constant) -> Int? {
        guard let bits = constant.dtype.packedBitSize,
            let total = CheckedSize.product(constant.shape.elementCount, bits)
        else { return nil }
        return total / 8 + (total % 8 == 0 ? 0 : 1)
    }

    /// - Throws: what reading a tensor throws, and what `sink` does.
    static func write(_ pieces: [WirePiece], to sink: ByteSink) throws(SardonyxError) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): try write(bytes, to: sink)
            case .elements(let constant): try write(constant, to: sink)
            }
        }
    }

    static func write(_ constant: Constant, to sink: ByteSink) throws(SardonyxError) {
        let tensor = try constant.tensor()
        guard tensor.dtype == constant.dtype, tensor.shape == constant.shape else {
            throw SardonyxError(
                .internal, "tensor", "contents", got: "\(tensor.dtype)\(tensor.shape)",
                allowed: "\(constant.dtype)\(constant.shape)")
        }
        guard let bits = tensor.dtype.packedBitSize, bits < 8 else { return try tensor.withUnsafeBytes(sink) }
        try write(packed(tensor.elements(of: UInt8.self), bits: bits), to: sink)
        withExtendedLifetime(tensor) {}
    }

    private static func packed(_ elements: UnsafeBufferPointer<UInt8>, bits: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(elements.count / 8 * bits + bits)
        var (pending, count) = (UInt32(0), UInt32(0))
        for element in elements {
            pending |= UInt32(element & (1 << UInt8(bits) - 1)) << count
            count += UInt32(bits)
            while count >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: pending))
                pending >>= 8
                count -= 8
            }
        }
        if count > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
        return bytes
    }

    static func write(_ bytes: [UInt8], to sink: ByteSink) throws(SardonyxError) {
        var fault: SardonyxError?
        bytes.withUnsafeBytes { bytes in
            do throws(SardonyxError) { try sink(bytes) } catch { fault = error }
        }
        if let fault { throw fault }
    }
}
