import Codecs
import Detection
import Glibc
import TensorCore
import Testing

@testable import Media

@Suite struct DecodingTests {
    @Test func hashOfTheStandardsExample() {
        #expect(sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func everyFixtureIsListed() { #expect(Fixtures.expected.count == 42) }

    @Test(arguments: Fixtures.expected)
    func pixelsEqualOpenCV(_ expected: Fixtures.Expected) throws {
        let image = try ImageFile.read(Fixtures.path(expected.name))
        #expect(image.width == expected.width)
        #expect(image.height == expected.height)
        #expect(sha256(image.pixels) == expected.sha256)
    }

    /// `decoded_sha256` of data/yolact/preprocess/000000117525_400.npz: SHA-256 over OpenCV's BGR bytes.
    @Test
    func photographEqualsOpenCV() throws {
        let image = try ImageFile.read(Fixtures.shared + "/data/photos/000000117525.jpg")
        var bgr = image.pixels
        for pixel in stride(from: 0, to: bgr.count, by: 3) { bgr.swapAt(pixel, pixel + 2) }
        #expect(image.width == 500)
        #expect(image.height == 500)
        #expect(sha256(bgr) == "b4f9f3ebb6e05d97ee3370023c0a03a1c46c42787063884e1a21d3f1e6246723")
    }

    @Test func orientationCanBeIgnored() throws {
        let upright = try ImageFile.read(Fixtures.path("orientation-6.jpg"))
        let stored = try ImageFile.read(
            Fixtures.path("orientation-6.jpg"), options: .init(appliesOrientation: false))
        #expect((upright.width, upright.height) == (16, 24))
        #expect((stored.width, stored.height) == (24, 16))
        // Turned a quarter clockwise, the bottom left corner becomes the top left.
        #expect(Array(upright.pixels.prefix(3)) == Array(stored.pixels[(15 * 24 * 3)..<(15 * 24 * 3 + 3)]))
    }

    @Test func damagedExifMeansUpright() {
        let good: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
        #expect(Orientation(exif: good) == .right)
        for count in 0..<20 { #expect(Orientation(exif: Array(good.prefix(count))) == .up) }
        var far = good
        far.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(Orientation(exif: far) == .up)
        var ninth = good
        ninth[19] = 9
        #expect(Orientation(exif: ninth) == .up)
    }

    @Test func contentsDecideTheFormat() throws {
        let folder = Fixtures.temporaryFolder()
        try WholeFile.write([try Fixtures.bytes("rgb-8.png")], to: folder + "/really-a-png.jpg", as: .image)
        #expect(try ImageFile.read(folder + "/really-a-png.jpg") == ImageFile.read(Fixtures.path("rgb-8.png")))
    }
}
