import Foundation
import TensorCore
import Testing

@testable import Detection

/// Run lengths against pycocotools, on the masks of two published models and on drawn bitmaps.
@Suite struct RLETests {
    private struct Detections: Decodable {
        struct Image: Decodable { let dets: [Detection] }
        struct Detection: Decodable { let mask: Mask }
        struct Mask: Decodable {
            let size: [Int]
            let counts: String
        }
        let images: [Image]
    }

    static let models = ["dets_yolact_base", "dets_yolact_resnet50"]

    private static func masks(_ model: String) throws -> [[(text: String, rle: RLE)]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: TestData.shared("coco/\(model).json")))
        return try JSONDecoder().decode(Detections.self, from: data).images.map { image in
            try image.dets.map { detection in
                let mask = detection.mask
                return (mask.counts, try RLE(width: mask.size[1], height: mask.size[0], compressed: mask.counts))
            }
        }
    }

    @Test(arguments: models) func realMasksRoundTrip(_ model: String) throws {
        let masks = try RLETests.masks(model).flatMap { $0 }
        #expect(masks.count > 1000)
        for (text, rle) in masks {
            #expect(rle.compressed == text)
            #expect(RLE(rle.bitmap()) == rle)
        }
    }

    @Test(arguments: models) func measuresAgreeWithPycocotools(_ model: String) throws {
        let expected = try TestData.fixture("rle.npz")
        let images = try RLETests.masks(model)
        let masks = images.flatMap { $0 }
        #expect(try masks.map { Int32($0.rle.area) } == expected["\(model)_area"]?.array())
        let bounds = masks.flatMap { mask -> [Int32] in
            guard let box = mask.rle.bounds else { return [0, 0, 0, 0] }
            return [box.x1, box.y1, box.width, box.height].map(Int32.init)
        }
        #expect(try bounds == expected["\(model)_bounds"]?.array())
        for (index, image) in images.prefix(3).enumerated() {
            for (key, crowd) in [("iou", false), ("crowd", true)] {
                let ious = try image.flatMap { a in try image.map { b in try a.rle.iou(with: b.rle, crowd: crowd) } }
                #expect(try ious == expected["\(model)_\(key)\(index)"]?.array())
            }
        }
    }

    @Test func bitmapsEncodeAsPycocotoolsDoes() throws {
        let expected = try TestData.fixture("rle.npz")
        var count = 0
        for (name, tensor) in expected where name.hasPrefix("bitmap_") {
            let bitmap = try Bitmap(width: tensor.shape[1], height: tensor.shape[0], bytes: tensor.array())
            let text = try #require(expected["counts_" + name.dropFirst("bitmap_".count)])
            let rle = RLE(bitmap)
            #expect(rle.compressed == String(decoding: try text.array(of: UInt8.self), as: UTF8.self))
            #expect(rle.bitmap() == bitmap)
            #expect(rle.area == bitmap.bytes.reduce(0) { $0 + Int($1) })
            count += 1
        }
        #expect(count == 24)
    }

    @Test(arguments: [
        ("", 2, 2), ("o", 2, 2), ("oooooooooo0", 2, 2), ("4 ", 2, 2), ("p", 2, 2), ("5", 2, 2), ("3", 2, 2),
        ("é", 2, 2),
        ("4", 0, 4), ("4", -1, -4), ("4", 1 << 40, 1 << 40), ("O", 2, 2), ("oooooooo1", 2, 2), ("22O3", 2, 2),
    ]) func malformedTextIsAnError(_ text: String, _ width: Int, _ height: Int) {
        #expect(throws: SardonyxError.self) { try RLE(width: width, height: height, compressed: text) }
    }

    @Test func masksOfDifferentSizesAreNotCompared() throws {
        let a = try RLE(width: 2, height: 3, counts: [6])
        let b = try RLE(width: 3, height: 2, counts: [6])
        #expect(throws: SardonyxError.self) { try a.iou(with: b) }
        #expect(try a.iou(with: a) == 0 && a.bounds == nil && a.area == 0)
    }

    @Test func outlineOfARingHasAHole() throws {
        var bytes = [UInt8](repeating: 0, count: 6 * 5)
        for y in 1...3 { for x in 1...4 where !(y == 2 && x == 2) { bytes[y * 6 + x] = 1 } }
        let polygons = RLE(try Bitmap(width: 6, height: 5, bytes: bytes)).polygons()
        #expect(
            polygons == [
                Polygon(
                    exterior: [Point(x: 1, y: 1), Point(x: 5, y: 1), Point(x: 5, y: 4), Point(x: 1, y: 4)],
                    holes: [[Point(x: 2, y: 3), Point(x: 3, y: 3), Point(x: 3, y: 2), Point(x: 2, y: 2)]])
            ])
    }

    @Test func outlinesFillBackToTheMask() throws {
        let expected = try TestData.fixture("rle.npz")
        for (name, tensor) in expected where name.hasPrefix("bitmap_") {
            let bitmap = try Bitmap(width: tensor.shape[1], height: tensor.shape[0], bytes: tensor.array())
            #expect(try filled(RLE(bitmap).polygons(), like: bitmap) == bitmap, "\(name)")
        }
        for (_, rle) in try RLETests.masks("dets_yolact_base").prefix(10).flatMap({ $0 }) {
            let polygons = rle.polygons()
            #expect(try filled(polygons, like: rle.bitmap()) == rle.bitmap())
            for polygon in polygons {
                #expect(doubleArea(polygon.exterior) > 0 && polygon.holes.allSatisfy { doubleArea($0) < 0 })
            }
        }
    }

    /// Scan-line fill: a vertical edge flips the row's pixels from its column on.
    private func filled(_ polygons: [Polygon], like bitmap: Bitmap) throws -> Bitmap {
        var bytes = [UInt8](repeating: 0, count: bitmap.width * bitmap.height)
        for ring in polygons.flatMap({ [$0.exterior] + $0.holes }) {
            for (a, b) in zip(ring, ring.dropFirst() + ring.prefix(1)) where a.x == b.x {
                for y in min(a.y, b.y)..<max(a.y, b.y) {
                    for x in a.x..<bitmap.width { bytes[y * bitmap.width + x] ^= 1 }
                }
            }
        }
        return try Bitmap(width: bitmap.width, height: bitmap.height, bytes: bytes)
    }

    /// Twice the signed area, positive for clockwise on the screen.
    private func doubleArea(_ ring: [Point]) -> Int {
        zip(ring, ring.dropFirst() + ring.prefix(1)).reduce(0) { $0 + $1.0.x * $1.1.y - $1.1.x * $1.0.y }
    }
}
