import TensorCore

/// Named arrays in NumPy's `.npz` format: a zip archive of `.npy` files.
package enum Npz {
    /// All arrays of a file by name (without `.npy`).
    /// - Throws: as `NpzReader`; `input` for names that are the same text, if not the same bytes.
    package static func read(_ path: String) throws(SardonyxError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in try arrays(path) {
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw SardonyxError(.input, path, "array '\(name)' occurs twice")
            }
        }
        return tensors
    }

    /// All arrays of a file with their names (without `.npy`), which differ as bytes, in the file's order.
    /// - Throws: as `NpzReader`.
    package static func arrays(_ path: String) throws(SardonyxError) -> [(name: String, tensor: Tensor)] {
        let reader = try NpzReader(path)
        var arrays: [(name: String, tensor: Tensor)] = []
        for name in reader.names { arrays.append((name, try reader.tensor(name))) }
        return arrays
    }

    /// Makes or overwrites a file with the arrays in the given order.
    /// - Parameter deflated: compress, as `numpy.savez_compressed` does.
    /// - Throws: `unsupported` for an element type that NumPy does not have, `input` if the file cannot be written or a
    ///   name occurs twice, `limit` above 4 GiB.
    package static func write(
        _ tensors: [(name: String, tensor: Tensor)], to path: String, deflated: Bool = false
    ) throws(SardonyxError) {
        let pieces: [[UInt8]]
        do throws(SardonyxError) { pieces = try archive(of: tensors, deflated: deflated) } catch {
            throw error.placed(at: path)
        }
        try WholeFile.write(pieces, to: path, as: .input)
    }

    private static func archive(
        of tensors: [(name: String, tensor: Tensor)], deflated: Bool
    ) throws(SardonyxError) -> [[UInt8]] {
        var writer = ZipWriter()
        var names: Set<[UInt8]> = []
        for (name, tensor) in tensors {
            guard names.insert(Array(name.utf8)).inserted else {
                throw SardonyxError(.input, "array '\(name)'", "the name occurs twice")
            }
            do throws(SardonyxError) {
                try writer.append("\(name).npy", Npy.encode(tensor), deflated: deflated)
            } catch {
                throw error.placed(at: "array '\(name)'")
            }
        }
        return try writer.finish()
    }
}

/// An `.npz` file, read whole; arrays are decoded when asked for.
package struct NpzReader {
    /// Names of the arrays without `.npy`, in the file's order.
    package let names: [String]
    private let path: String
    private let archive: ZipReader
    private let entries: [[UInt8]: ZipReader.Entry]

    /// - Throws: `input` if the file cannot be read, is no zip archive or names an array twice, `unsupported` for
    ///   encrypted entries, `limit` when there is no memory; all name the file.
    package init(_ path: String) throws(SardonyxError) {
        let (buffer, count) = try WholeFile.read(path, as: .input)
        do { archive = try ZipReader(buffer: buffer, count: count) } catch { throw error.placed(at: path) }
        var names: [String] = []
        var entries: [[UInt8]: ZipReader.Entry] = [:]
        for entry in archive.entries {
            let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
            guard entries.updateValue(entry, forKey: Array(name.utf8)) == nil else {
                throw SardonyxError(.input, path, "array '\(name)' occurs twice")
            }
            names.append(name)
        }
        self.path = path
        self.names = names
        self.entries = entries
    }

    /// - Throws: `input` for an unknown name or damaged array, `unsupported` for an element type that tensors do not
    ///   have, `limit` when there is no memory; all name the file and the array.
    package func tensor(_ name: String) throws(SardonyxError) -> Tensor {
        guard let entry = entries[Array(name.utf8)] else {
            throw SardonyxError(
                .input, path, "no array '\(name)'", got: names.joined(separator: ", "))
        }
        do {
            let (buffer, offset, count) = try archive.contents(entry)
            defer { withExtendedLifetime(buffer) {} }
            return try Npy.decode(UnsafeRawBufferPointer(start: buffer.pointer + offset, count: count))
        } catch {
            throw error.placed(at: "array '\(name)'").placed(at: path)
        }
    }
}
