import Foundation
import Testing

@testable import NumpyIO
@testable import TensorCore

/// Archives written by NumPy; `Fixtures/make.py` says what is in them.
func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

func temporaryPath(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)-\(name)").path
}

@Suite struct NpzTests {
    @Test(arguments: ["stored.npz", "deflated.npz"], ["little", "big"])
    func everyNumericTypeReads(_ file: String, _ order: String) throws {
        let reader = try NpzReader(fixture(file))
        func values<Element: TensorElement & Equatable>(_ code: String, _ expected: [Element]) throws {
            let tensor = try reader.tensor("\(order)_\(code)")
            #expect(tensor.shape.dims == [2, 3])
            #expect(try tensor.array(of: Element.self) == expected)
        }
        try values("i1", [0, 10, 20, 30, 40, 50] as [Int8])
        try values("i2", [0, 10, 20, 30, 40, 50] as [Int16])
        try values("i4", [0, 10, 20, 30, 40, 50] as [Int32])
        try values("i8", [0, 10, 20, 30, 40, 50] as [Int64])
        try values("u1", [0, 10, 20, 30, 40, 50] as [UInt8])
        try values("u2", [0, 10, 20, 30, 40, 50] as [UInt16])
        try values("u4", [0, 10, 20, 30, 40, 50] as [UInt32])
        try values("u8", [0, 10, 20, 30, 40, 50] as [UInt64])
        try values("f2", [0, 10, 20, 30, 40, 50] as [Float16])
        try values("f4", [0, 10, 20, 30, 40, 50] as [Float])
        try values("f8", [0, 10, 20, 30, 40, 50] as [Double])
        try values("b1", [false, true, false, true, false, true])
        let single = try reader.tensor("\(order)_c8")
        #expect(single.dtype == .complex64)
        #expect(Array(single.elements(of: Float.self).prefix(1)) == [0] && single.byteCount == 48)
        single.withUnsafeBytes { #expect($0.load(fromByteOffset: 44, as: Float.self) == 5) }
        try reader.tensor("\(order)_c16").withUnsafeBytes { #expect($0.load(fromByteOffset: 88, as: Double.self) == 5) }
    }

    @Test func shapesOfEveryKindRead() throws {
        let tensors = try Npz.read(fixture("deflated.npz"))
        #expect(try tensors["fortran"]?.array() == (0..<24).map(Int32.init))
        #expect(tensors["fortran"]?.shape.dims == [2, 3, 4])
        #expect(try tensors["scalar"]?.array() == [7.5 as Float])
        #expect(tensors["scalar"]?.shape.rank == 0)
        #expect(tensors["empty"]?.shape.dims == [0, 3])
        #expect(try tensors["long"]?.array() == (0..<5000).map { Int32($0 / 100) })
    }

    @Test func plainArrayReads() throws {
        let tensor = try Npy.read(fixture("plain.npy"))
        #expect(tensor.shape.dims == [3, 4])
        #expect(try tensor.array() == (0..<12).map(Float.init))
    }

    /// Compared as bytes: Swift's strings are equal in other normal forms, too.
    @Test func textReadsAndIsWritten() throws {
        let reader = try NpzReader(fixture("text.npz"))
        let words = ["a", "grün", "", "a\0b", "𝄞", "five5"].map { Array($0.utf8) }
        for name in ["words", "big", "fortran"] {
            let tensor = try reader.tensor(name)
            #expect(tensor.shape.dims == [2, 3])
            #expect(try tensor.array(of: String.self).map { Array($0.utf8) } == words, "\(name)")
        }
        #expect(try reader.tensor("bytes").array() == ["grün", "b"])
        let path = temporaryPath("text.npy")
        defer { unlink(path) }
        try Npy.write(try reader.tensor("words"), to: path)
        #expect(try Npy.read(path).array(of: String.self).map { Array($0.utf8) } == words)
        let numpy = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(numpy.count == 128 + 6 * 5 * 4)
    }

    @Test(arguments: [false, true]) func whatIsWrittenReadsBack(_ deflated: Bool) throws {
        let path = temporaryPath("round.npz")
        defer { unlink(path) }
        let original = try NpzReader(fixture("stored.npz"))
        try Npz.write(
            original.names.map { ($0, try original.tensor($0)) } + [
                ("Größe", try Tensor([1, 2] as [Int64], dims: [2]))
            ],
            to: path, deflated: deflated)
        let copy = try NpzReader(path)
        #expect(copy.names == original.names + ["Größe"])
        for name in original.names {
            let (a, b) = (try original.tensor(name), try copy.tensor(name))
            #expect(a.dtype == b.dtype && a.shape == b.shape)
            a.withUnsafeBytes { first in b.withUnsafeBytes { #expect(first.elementsEqual($0), "\(name)") } }
        }
        let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(deflated == (size < 20000))
    }

    @Test func errorsNameFileAndArray() throws {
        let path = fixture("text.npz")
        #expect(throws: SardonyxError.self) { try NpzReader("/nowhere.npz") }
        #expect(throws: SardonyxError.self) { try NpzReader("/") }
        let error = try #require(throws: SardonyxError.self) { try NpzReader(path).tensor("dates") }
        #expect(error.code == .unsupported)
        #expect(
            error.description.contains(path) && error.description.contains("'dates'")
                && error.description.contains("<M8[D]"))
        let invalid = try #require(throws: SardonyxError.self) { try NpzReader(path).tensor("invalid") }
        #expect(invalid.code == .input && invalid.description.contains("element 0"))
        let missing = try #require(throws: SardonyxError.self) { try NpzReader(path).tensor("other") }
        #expect(missing.description.contains("no array 'other'; got words"))
        #expect(throws: SardonyxError.self) {
            try Npy.encode(Tensor(dtype: .bfloat16, shape: .scalar) { _ in })
        }
    }

    /// Cut at every length and with every byte changed in turn: an error or a tensor, never a trap.
    @Test func damagedFilesNeverTrap() throws {
        let plain = try Data(contentsOf: URL(fileURLWithPath: fixture("plain.npy")))
        let path = temporaryPath("small.npz")
        defer { unlink(path) }
        let tensor = try Tensor((0..<40).map(Float.init), dims: [5, 8])
        for deflated in [false, true] {
            try Npz.write([("a", tensor), ("b", tensor)], to: path, deflated: deflated)
            let archive = try Data(contentsOf: URL(fileURLWithPath: path))
            var (cut, errors) = (0, 0)
            for length in 0..<archive.count where try !opens(archive.prefix(length)) { cut += 1 }
            #expect(cut == archive.count)
            for index in archive.indices {
                for change in [0x01, 0x80, 0xff] as [UInt8] {
                    var bytes = archive
                    bytes[index] ^= change
                    if try !opens(bytes) { errors += 1 }
                }
            }
            #expect(errors > archive.count)
        }
        for length in 0..<plain.count {
            #expect(throws: SardonyxError.self) { try plain.prefix(length).withUnsafeBytes { try Npy.decode($0) } }
        }
        for index in 0..<128 {
            for value in UInt8.min...UInt8.max {
                var bytes = plain
                bytes[index] = value
                _ = try? bytes.withUnsafeBytes { try Npy.decode($0) }
            }
        }
    }

    @Test(arguments: [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }",
        "{'descr': '<f4', 'fortran_order': False, }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (), }", "", "{", "}", "{'", "{'shape': (((",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    ]) func badHeadersAreErrors(_ text: String) {
        var bytes = NpyHeader.magic + [1, 0, UInt8(text.utf8.count), 0]
        bytes += text.utf8
        #expect(throws: SardonyxError.self) { try bytes.withUnsafeBytes { try Npy.decode($0) } }
    }

    /// Whether the bytes are an archive whose arrays can all be read.
    private func opens(_ bytes: Data) throws -> Bool {
        let buffer = try Buffer(byteCount: bytes.count)
        bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: buffer.pointer, count: bytes.count).copyMemory(from: $0)
        }
        do throws(SardonyxError) {
            let archive = try ZipReader(buffer: buffer, count: bytes.count)
            for entry in archive.entries {
                let (contents, offset, count) = try archive.contents(entry)
                _ = try Npy.decode(UnsafeRawBufferPointer(start: contents.pointer + offset, count: count))
            }
            return true
        } catch {
            return false
        }
    }
}
