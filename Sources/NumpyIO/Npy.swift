import TensorCore

/// One array in NumPy's `.npy` format.
package enum Npy {
    /// - Throws: `input` if the file cannot be read or is malformed, `unsupported` for an element type that tensors do
    ///   not have, `limit` when there is no memory; all name the file.
    package static func read(_ path: String) throws(SardonyxError) -> Tensor {
        let (buffer, count) = try WholeFile.read(path, as: .input)
        defer { withExtendedLifetime(buffer) {} }
        do {
            return try decode(UnsafeRawBufferPointer(start: buffer.pointer, count: count))
        } catch {
            throw error.placed(at: path)
        }
    }

    /// - Throws: `unsupported` for an element type that NumPy does not have, `input` if the file cannot be written.
    package static func write(_ tensor: Tensor, to path: String) throws(SardonyxError) {
        let bytes: [UInt8]
        do { bytes = try encode(tensor) } catch { throw error.placed(at: path) }
        try WholeFile.write([bytes], to: path, as: .input)
    }

    /// The tensor in the bytes of an `.npy` file.
    /// - Throws: as `read`, without a place.
    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(SardonyxError) -> Tensor {
        let view = ByteView(bytes: bytes)
        let (header, offset) = try NpyHeader.decode(view)
        let elementSize = header.type.elementSize
        guard let expected = CheckedSize.product(header.shape.elementCount, elementSize),
            expected == bytes.count - offset
        else {
            throw SardonyxError(
                .input, "", "the elements do not fill the file", got: "\(bytes.count - offset) bytes",
                allowed: "\(elementSize) for each of \(header.shape)")
        }
        let source = try view.slice(offset, expected)
        if header.type.text != nil { return try decodeText(source, header) }
        return try Tensor(dtype: header.type.dtype, shape: header.shape) { (memory) throws(SardonyxError) in
            let target = UnsafeMutableRawBufferPointer(start: memory, count: expected)
            if header.isFortranOrder, header.shape.rank > 1 {
                copyFromFortranOrder(source, to: target, shape: header.shape, elementSize: elementSize)
            } else {
                target.copyMemory(from: source)
            }
            if header.type.isBigEndian { reverseBytes(of: target, size: header.type.swapSize) }
            if header.type.dtype == .bool {
                for index in target.indices where target[index] > 1 { target[index] = 1 }
            }
        }
    }

    private static func decodeText(
        _ source: UnsafeRawBufferPointer, _ header: NpyHeader
    ) throws(SardonyxError) -> Tensor {
        var ordered = [UInt8]()
        if header.isFortranOrder, header.shape.rank > 1 {
            ordered = [UInt8](repeating: 0, count: source.count)
            ordered.withUnsafeMutableBytes {
                copyFromFortranOrder(source, to: $0, shape: header.shape, elementSize: header.type.elementSize)
            }
        }
        return try Tensor(dtype: .string, shape: header.shape) { (memory) throws(SardonyxError) in
            let elements = memory.assumingMemoryBound(to: String.self)
            let count = header.shape.elementCount
            guard !ordered.isEmpty else {
                return try NpyText.decode(source, header.type, count: count, into: elements)
            }
            var fault: SardonyxError?
            ordered.withUnsafeBytes { bytes in
                do throws(SardonyxError) {
                    try NpyText.decode(bytes, header.type, count: count, into: elements)
                } catch { fault = error }
            }
            if let fault { throw fault }
        }
    }

    /// The bytes of an `.npy` file, format version 1.0.
    /// - Throws: `unsupported` for an element type that NumPy does not have, `limit` for text above 4 GiB.
    package static func encode(_ tensor: Tensor) throws(SardonyxError) -> [UInt8] {
        if tensor.dtype == .string {
            let start = tensor.pointer.assumingMemoryBound(to: String.self)
            let (width, text) = try NpyText.encode(UnsafeBufferPointer(start: start, count: tensor.shape.elementCount))
            withExtendedLifetime(tensor) {}
            return try NpyHeader.encode(.string, tensor.shape, width: width) + text
        }
        var bytes = try NpyHeader.encode(tensor.dtype, tensor.shape)
        bytes.reserveCapacity(bytes.count + tensor.byteCount)
        tensor.withUnsafeBytes { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// First axis fastest becomes last axis fastest.
    private static func copyFromFortranOrder(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, shape: Shape, elementSize: Int
    ) {
        var strides = [Int](repeating: elementSize, count: shape.rank)
        for axis in 1..<shape.rank { strides[axis] = strides[axis - 1] * shape[axis - 1] }
        var position = [Int](repeating: 0, count: shape.rank)
        var from = 0
        for to in stride(from: 0, to: target.count, by: elementSize) {
            target[to..<to + elementSize].copyBytes(from: source[from..<from + elementSize])
            var axis = shape.rank - 1
            while axis >= 0 {
                position[axis] += 1
                from += strides[axis]
                guard position[axis] == shape[axis] else { break }
                from -= position[axis] * strides[axis]
                position[axis] = 0
                axis -= 1
            }
        }
    }

    private static func reverseBytes(of memory: UnsafeMutableRawBufferPointer, size: Int) {
        for start in stride(from: 0, to: memory.count, by: size) {
            for index in 0..<size / 2 { memory.swapAt(start + index, start + size - 1 - index) }
        }
    }
}
