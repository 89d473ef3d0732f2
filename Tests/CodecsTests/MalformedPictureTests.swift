import TensorCore
import Testing

@testable import Codecs

/// Pictures cut short, or with any byte changed, are decoded or refused; nothing traps or reads outside.
@Suite struct MalformedPictureTests {
    private static let bmp: [UInt8] =
        Array("BM".utf8) + [86, 0, 0, 0, 0, 0, 0, 0, 62, 0, 0, 0, 40, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 1, 0, 8, 0]
        + [1, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        + [10, 20, 30, 0, 40, 50, 60, 0, 4, 1, 0, 0, 0, 4, 1, 0, 1, 0, 0, 0, 2, 1, 0, 2, 0, 0, 0, 1]

    private static let tiff: [UInt8] =
        [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0, 8, 0]
        + entry(256, 3, 1, 2) + entry(257, 3, 1, 2) + entry(258, 3, 1, 8) + entry(259, 3, 1, 1) + entry(262, 3, 1, 1)
        + entry(273, 4, 1, 110) + entry(278, 3, 1, 2) + entry(279, 4, 1, 4) + [0, 0, 0, 0, 1, 2, 3, 4]

    private static func entry(_ tag: Int, _ type: UInt8, _ count: UInt8, _ value: UInt8) -> [UInt8] {
        [UInt8(tag & 255), UInt8(tag >> 8), type, 0, count, 0, 0, 0, value, 0, 0, 0]
    }

    private static let pictures: [[UInt8]] = [
        bmp, tiff, Array("P6 2 1 255\n123456".utf8), Array("P3\n#x\n1 2 15 1 2 3 4 5 15".utf8),
        Array("P1 3 1 101".utf8), Array("P5 1 1 65535\nab".utf8),
    ]

    private func decode(_ bytes: [UInt8]) throws(SardonyxError) -> DecodedPicture? {
        try PictureFormat(magicOf: bytes)?.decode(bytes) { (_) throws(SardonyxError) in }
    }

    @Test(arguments: pictures) func cutShort(_ bytes: [UInt8]) throws {
        #expect(try decode(bytes) != nil)
        for count in bytes.indices {
            do {
                let picture = try decode(Array(bytes.prefix(count)))
                // Text may end within a number.
                #expect(picture == nil || bytes[0] == 0x50, "\(count) bytes")
            } catch { #expect(error.code == .image) }
        }
    }

    @Test(arguments: pictures) func changed(_ bytes: [UInt8]) {
        for index in bytes.indices {
            for value in [0, 1, 0x30, 0x39, 0x7F, 0x80, 0xFF, bytes[index] ^ 1, bytes[index] &+ 16] {
                var other = bytes
                other[index] = value
                do { _ = try decode(other) } catch { #expect(error.code == .image) }
            }
        }
    }

    @Test func runLengths() throws {
        let picture = try #require(try decode(Self.bmp))
        #expect(picture.width == 4 && picture.height == 3)
        // The last line is stored first: four of color 1.
        #expect(picture.rgb.suffix(12).elementsEqual([60, 50, 40, 60, 50, 40, 60, 50, 40, 60, 50, 40]))
    }

    @Test func memoryIsAskedFor() throws {
        #expect(throws: SardonyxError.self) {
            try PictureFormat.pnm.decode(Self.pictures[2]) { (count) throws(SardonyxError) in
                throw SardonyxError(.limit, "", "memory", got: "\(count)")
            }
        }
    }
}
