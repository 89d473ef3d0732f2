import Detection
import Glibc
import TensorCore
import Testing

@testable import Media

@Suite struct EncodingTests {
    private func picture() throws -> Image { try ImageFile.read(Fixtures.path("rgb-8.png")) }

    @Test func losslessFormatsGiveThePixelsBack() throws {
        let image = try picture()
        #expect(try ImageFile.decode(ImageFile.encode(image, as: .png)) == image)
        #expect(try ImageFile.decode(ImageFile.encode(image, as: .webp, quality: 100)) == image)
    }

    /// Signal to noise as Pillow 13 keeps it at these qualities (4:2:0 for the first, 4:4:4 for the others), in dB.
    @Test func jpegKeepsWhatPillowKeeps() throws {
        let image = try picture()
        for (quality, expected) in [(30, 20.9075), (92, 32.0354), (100, 50.7084)] {
            let other = try ImageFile.decode(ImageFile.encode(image, as: .jpeg, quality: quality))
            let squares = zip(image.pixels, other.pixels).reduce(0.0) {
                let difference = Double($1.0) - Double($1.1)
                return $0 + difference * difference
            }
            let ratio = 10 * log10(255 * 255 * Double(image.pixels.count) / squares)
            #expect(abs(ratio - expected) < 0.01)
        }
    }

    @Test func everyFormatIsRecognisedAgain() throws {
        for format in ImageFormat.allCases {
            #expect(try ImageFormat(magicOf: ImageFile.encode(picture(), as: format)) == format)
        }
    }

    @Test func extensionsNameFormats() throws {
        #expect(try ImageFormat(pathExtensionOf: "a/b.c/d.JPG") == .jpeg)
        #expect(try ImageFormat(pathExtensionOf: "x.tar.webp") == .webp)
        for path in ["a.png/b", "noextension", "x.gif", ".", ""] {
            #expect(throws: SardonyxError.self) { try ImageFormat(pathExtensionOf: path) }
        }
    }

    @Test func sizesAndQualitiesThatAFormatLacksAreRefused() throws {
        let wide = try Image(width: 70_000, height: 1)
        #expect(throws: SardonyxError.self) { try ImageFile.encode(wide, as: .jpeg) }
        #expect(throws: SardonyxError.self) { try ImageFile.encode(wide, as: .webp) }
        #expect(try ImageFile.decode(ImageFile.encode(wide, as: .png)) == wide)
        for quality in [0, 101, .min, .max] {
            #expect(throws: SardonyxError.self) { try ImageFile.encode(picture(), as: .jpeg, quality: quality) }
        }
    }

    @Test func writingReplacesWholeAndLeavesNothingBehind() throws {
        let folder = Fixtures.temporaryFolder()
        let (target, link) = (folder + "/a.png", folder + "/link.png")
        #expect(symlink(target, link) == 0)
        try ImageFile.write(Image(width: 1, height: 1), to: target)
        try ImageFile.write(picture(), to: link)
        #expect(try ImageFile.read(target) == picture())
        var status = stat()
        #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        var names: [String] = []
        let stream = try #require(opendir(folder))
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        closedir(stream)
        #expect(names.sorted() == [".", "..", "a.png", "link.png"])
    }

    @Test func aFailedWriteNamesThePath() throws {
        let path = Fixtures.temporaryFolder() + "/absent/a.png"
        let error = #expect(throws: SardonyxError.self) { try ImageFile.write(picture(), to: path) }
        #expect(error?.description == "image: \(path): cannot write; got No such file or directory")
    }

    @Test func aDeviceIsWrittenToAndNotReplaced() throws {
        try WholeFile.write([[1, 2, 3]], to: "/dev/null", as: .image)
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }
}
