import Detection
import Glibc
import TensorCore
import Testing

@testable import Media

/// Decodes bytes that must be refused and gives back the error.
private func refusal(_ bytes: [UInt8], _ location: SourceLocation = #_sourceLocation) -> String {
    let error = #expect(throws: SardonyxError.self, sourceLocation: location) { try ImageFile.decode(bytes) }
    #expect(error?.code == .image, sourceLocation: location)
    return error?.description ?? ""
}

@Suite struct MalformedTests {
    @Test func emptyAndForeignContentsAreNamed() {
        #expect(refusal([]) == "image: the file is empty")
        #expect(refusal(Array("version https://git-lfs.github.com/spec/v1\n".utf8)).contains("git lfs pull"))
        #expect(refusal(Array("<!DOCTYPE html>".utf8)).contains("got HTML, allowed JPEG, PNG, WebP"))
        #expect(refusal(Array("GIF89a".utf8)).contains("got GIF"))
        #expect(refusal(Array("garbage".utf8)).contains("got unknown contents"))
        #expect(refusal([0xFF, 0xD8, 0xFF]).contains("JPEG data is damaged or cut short"))
        #expect(refusal(Array("RIFF\u{4}\0\0\0WEBP".utf8)).contains("WebP data is damaged or cut short"))
    }

    @Test(arguments: Fixtures.expected)
    func everyTruncationIsRefused(_ fixture: Fixtures.Expected) throws {
        let bytes = try Fixtures.bytes(fixture.name)
        for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 200)) + [bytes.count - 1] {
            _ = refusal(Array(bytes.prefix(count)))
        }
    }

    @Test(arguments: ["rgb-420.jpg", "rgb-8.png", "lossy.webp"])
    func truncationTellsTheRows(_ name: String) throws {
        let bytes = try Fixtures.bytes(name)
        let message = refusal(Array(bytes.prefix(bytes.count * 3 / 4)))
        let rows = message.split(separator: "got ").last?.split(separator: " ").first.flatMap { Int($0) }
        #expect(message.contains("of 47 rows"))
        // libpng asks for 4 KiB of compressed data at a time, so of this small file no row may have been read.
        #expect(try #require(rows) > (name == "rgb-8.png" ? -1 : 0))
        #expect(try #require(rows) < 47)
    }

    @Test func sizesAreCheckedOnTheHeader() throws {
        let jpeg = refusal(JPEGMaker(width: 65_500, height: 65_500, scans: 1).bytes)
        #expect(jpeg == "image: JPEG size; got 65500 x 65500 pixels, allowed 1 to 100000000 pixels in all")
        var png = try Fixtures.bytes("rgb-8.png")
        png.replaceSubrange(16..<24, with: [0, 0, 0x9C, 0x40, 0, 0, 0x9C, 0x40])
        png.replaceSubrange(29..<33, with: crc32(png[12..<29]))
        #expect(refusal(png).contains("got 40000 x 40000 pixels"))
    }

    @Test func scansAreCounted() throws {
        let image = try ImageFile.decode(JPEGMaker(width: 8, height: 8, scans: 100).bytes)
        #expect(image.pixels == [UInt8](repeating: 128, count: 8 * 8 * 3))
        #expect(
            refusal(JPEGMaker(width: 8, height: 8, scans: 1000).bytes)
                == "image: JPEG scans; got 101 or more, allowed 100")
    }

    @Test func aWrongChecksumIsRefused() throws {
        var png = try Fixtures.bytes("rgb-8.png")
        png[60] ^= 1
        #expect(refusal(png).contains("PNG data is damaged"))
    }

    @Test func pathsThatAreNoFilesAreRefusedAtOnce() throws {
        let folder = Fixtures.temporaryFolder()
        #expect(mkfifo(folder + "/pipe.jpg", 0o600) == 0)
        for (path, message) in [
            (folder + "/pipe.jpg", "not a regular file"), (folder, "not a regular file"),
            (folder + "/absent.jpg", "No such file"),
        ] {
            let error = #expect(throws: SardonyxError.self) { try ImageFile.read(path) }
            #expect(error?.code == .image)
            #expect(error?.place == path)
            #expect(error?.message.contains(message) == true)
        }
    }

    /// Random damage to every fixture: any outcome but a trap, a hang or a picture of another size than it says.
    @Test func mutatedFilesNeverCrash() throws {
        var random = SplitMix64(state: 2)
        let seeds =
            try Fixtures.expected.map { try Fixtures.bytes($0.name) } + [
                JPEGMaker(width: 8, height: 8, scans: 60).bytes
            ]
        let end = ContinuousClock.now + .seconds(5)
        var (runs, accepted) = (0, 0)
        while runs < 20_000, ContinuousClock.now < end {
            var bytes = seeds[runs % seeds.count]
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2 where bytes.count > 16: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            // Without its checksums a PNG's mutations reach past the first gate.
            if runs % 2 == 0 { repairChecksums(&bytes) }
            if let image = try? ImageFile.decode(bytes) {
                accepted += 1
                #expect(image.pixels.count == image.width * image.height * 3)
            }
            runs += 1
        }
        #expect(runs > 500)
        #expect(accepted < runs)
    }
}

/// A grey progressive JPEG (ITU-T T.81, annex G) of one value in as many valid scans as asked: DC first, then every
/// AC coefficient of three components, bit plane by bit plane, each scan a single end-of-band bit.
private struct JPEGMaker {
    let bytes: [UInt8]

    init(width: Int, height: Int, scans: Int) {
        var out: [UInt8] = [0xFF, 0xD8]
        func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
        out += [0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
        out += [0xFF, 0xC2, 0, 17, 8] + word(height) + word(width) + [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
        for table: UInt8 in [0x00, 0x10] {
            out += [0xFF, 0xC4, 0, 20, table, 1] + [UInt8](repeating: 0, count: 15) + [0]
        }
        out += [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0b0001_1111]
        var left = scans - 1
        for component: UInt8 in 1...3 {
            for coefficient: UInt8 in 1...63 {
                for plane: UInt8 in (0...13).reversed() where left > 0 {
                    let precision = (plane == 13 ? 0 : (plane + 1) << 4) | plane
                    out += [0xFF, 0xDA, 0, 8, 1, component, 0, coefficient, coefficient, precision, 0b0111_1111]
                    left -= 1
                }
            }
        }
        bytes = out + [0xFF, 0xD9]
    }
}

/// Sets every complete PNG chunk's checksum right.
private func repairChecksums(_ bytes: inout [UInt8]) {
    guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) else { return }
    var offset = 8
    while offset + 12 <= bytes.count {
        let count = (0..<4).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
        guard offset + 12 + count <= bytes.count else { return }
        let end = offset + 8 + count
        bytes.replaceSubrange(end..<(end + 4), with: crc32(bytes[(offset + 4)..<end]))
        offset = end + 4
    }
}

/// CRC-32 (ISO 3309) as PNG stores it, most significant byte first.
private func crc32(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var value = UInt32.max
    for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ~value >> $0) }
}

/// Seeded random numbers (Steele, Lea and Flood 2014), so that a failure can be repeated.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
