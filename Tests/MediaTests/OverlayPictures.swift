import Detection
import Glibc
import Testing

@testable import Media

/// Overlays to look at, over the shared photographs and plain grounds, from 64 to 4,000 pixels.
/// Written to the folder that SARDONYX_TEST_PICTURES names; without it they are only drawn.
@Suite struct OverlayPictures {
    private static let scenes: [(label: String, box: (Double, Double, Double, Double))] = [
        ("person", (0.05, 0.1, 0.45, 0.95)), ("dog", (0.3, 0.35, 0.75, 0.9)), ("umbrella", (0.32, 0.05, 0.6, 0.4)),
        ("кошка", (0.7, 0.5, 0.999, 0.98)), ("traffic light", (0.85, 0.0, 0.97, 0.3)), ("dog", (0.34, 0.38, 0.7, 0.8)),
    ]

    private func draw(_ image: Image, _ name: String) throws {
        let found = try Self.scenes.enumerated().map { rank, scene in
            let (w, h) = (Double(image.width), Double(image.height))
            let box = Box(
                x1: Int(scene.box.0 * w), y1: Int(scene.box.1 * h), x2: Int(scene.box.2 * w), y2: Int(scene.box.3 * h))
            return try ellipse(scene.label, rank, box, width: image.width, height: image.height)
        }
        let instances = Instances(found, imageWidth: image.width, imageHeight: image.height)
        let start = ContinuousClock.now
        let drawn = try Overlay.draw(image, instances)
        let time = ContinuousClock.now - start
        #expect(drawn != image)
        if let folder = getenv("SARDONYX_TEST_PICTURES") {
            print("overlay \(name) \(image.width)×\(image.height): \(time)")
            try ImageFile.write(drawn, to: String(cString: folder) + "/" + name + ".png")
        }
    }

    @Test(arguments: [("dark", UInt8(8)), ("bright", 250), ("middle", 128)])
    func plain(_ name: String, _ level: UInt8) throws {
        try draw(Image(width: 640, height: 420, red: level, green: level, blue: level), name)
    }

    @Test(arguments: [(64, 64), (4000, 3000), (900, 120)])
    func sizes(_ width: Int, _ height: Int) throws {
        try draw(Image(width: width, height: height, red: 90, green: 130, blue: 110), "size-\(width)")
    }

    @Test(
        .enabled(if: Fixtures.exists(Fixtures.shared + "/data/photos/000000020247.jpg")),
        arguments: ["000000020247", "000000046804", "000000081988", "000000117525"])
    func photographs(_ name: String) throws {
        try draw(ImageFile.read(Fixtures.shared + "/data/photos/\(name).jpg"), name)
    }
}
