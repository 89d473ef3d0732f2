import TensorCore
import Testing

@testable import Detection

/// Where pictures lie in a network's input: expected numbers by hand.
@Suite struct PlacementTests {
    private func placement(_ width: Int, _ height: Int, _ geometry: ImageGeometry) throws -> Placement {
        try Placement(imageWidth: width, imageHeight: height, geometry: geometry)
    }

    @Test func letterboxesKeepTheRatioAndCentreThePicture() throws {
        // 641 · 640 / 641 = 640; 427 · 640 / 641 = 426.33.
        let wide = try placement(641, 427, .letterbox(.init(width: 640, height: 640)))
        #expect((wide.scaledWidth, wide.scaledHeight) == (640, 426) && (wide.left, wide.top) == (0, 107))
        let box = wide.box(fromInput: Box(x1: -5, y1: 107, x2: 320, y2: 533))
        #expect(box.x1 == 0 && box.y1 == 0 && abs(box.x2 - 320.5) < 1e-4 && abs(box.y2 - 427) < 1e-4)
        // An odd rest of 213 rows: 106 above.
        let odd = try placement(640, 427, .letterbox(.init(width: 640, height: 640)))
        #expect(odd.scaledHeight == 427 && odd.top == 106)
        // 32.5 rows round to the even 32.
        let half = try placement(100, 65, .letterbox(.init(width: 50, height: 50)))
        #expect(half.scaledHeight == 32)
        let strided = try placement(640, 427, .letterbox(.init(width: 640, height: 640, stride: 32)))
        #expect((strided.inputWidth, strided.inputHeight, strided.top) == (640, 448, 10))
        let corner = try placement(
            641, 427, .letterbox(.init(width: 416, height: 416, alignment: .topLeft, rounding: .down)))
        #expect((corner.left, corner.top, corner.scaledWidth, corner.scaledHeight) == (0, 0, 416, 277))
        // The way back is by the ratio itself, 416 / 641.
        #expect(abs(corner.box(fromInput: Box(x1: 0, y1: 0, x2: 208, y2: 104)).y2 - 104 * 641 / 416) < 1e-3)
    }

    @Test func keptRatiosFollowTheShorterSideUntilTheLongerOneIsFull() throws {
        let plain = try placement(640, 480, .keepRatio(shortSide: 800, longSide: 1333, stride: 1))
        #expect((plain.inputWidth, plain.inputHeight) == (1066, 800))
        let long = try placement(1000, 100, .keepRatio(shortSide: 800, longSide: 1333, stride: 32))
        #expect((long.scaledWidth, long.scaledHeight) == (1333, 133))
        #expect((long.inputWidth, long.inputHeight) == (1344, 160) && !long.isWhole)
        let relative = long.box(fromRelative: Box(x1: 0, y1: 0, x2: 1, y2: 0.5))
        #expect(abs(relative.x2 - 1344 / 1333) < 1e-5 && abs(relative.y2 - 80 / 133) < 1e-5)
    }

    @Test func cropsCutTheMiddle() throws {
        // 375 high to 256: 500 · 256 / 375 = 341.33; (341 - 224) / 2 = 58.5 rounds to 58.
        let crop = try placement(500, 375, .centerCrop(width: 224, height: 224, shortSide: 256))
        #expect((crop.scaledWidth, crop.scaledHeight, crop.left, crop.top) == (341, 256, -58, -16))
        #expect((crop.inputWidth, crop.inputHeight) == (224, 224))
    }

    @Test func theSmallestAndTheLongestPicturesHaveAPlace() throws {
        for (width, height) in [(1, 1), (1, 30_000), (30_000, 1), (2, 3)] {
            for geometry in [
                ImageGeometry.stretch(width: 64, height: 32), .letterbox(.init(width: 64, height: 32)),
                .letterbox(.init(width: 64, height: 64, alignment: .topLeft, rounding: .down, stride: 32)),
                .keepRatio(shortSide: 80, longSide: 133, stride: 32), .original,
            ] {
                let place = try placement(width, height, geometry)
                #expect(place.scaledWidth >= 1 && place.scaledHeight >= 1)
                #expect(place.left + place.scaledWidth <= place.inputWidth)
                #expect(place.top + place.scaledHeight <= place.inputHeight)
            }
        }
        #expect(throws: SardonyxError.self) { try self.placement(0, 5, .original) }
        // 30,000 times as long as wide: the crop would need 6.7 million columns of 224 rows.
        #expect(throws: SardonyxError.self) {
            try self.placement(30_000, 1, .centerCrop(width: 224, height: 224, shortSide: 16_384))
        }
    }

    @Test func gridsOverThePaddingStartWhereThePictureDoes() throws {
        // Half the rows are padding, a quarter above: of 8 cells the picture has 2 to 6.
        let place = try placement(8, 4, .letterbox(.init(width: 32, height: 32)))
        let axes = try place.axes(columns: 8, rows: 8)
        #expect((0..<8).map { axes.columns.index($0) } == Array(0..<8))
        #expect((0..<4).map { axes.rows.index($0) } == [2, 3, 4, 5] && axes.rows.weight(2) == 0)
        let whole = try placement(5, 7, .stretch(width: 32, height: 32)).axes(columns: 4, rows: 4)
        let plain = try ResampleAxis(inputs: 4, outputs: 7)
        #expect((0..<7).allSatisfy { whole.rows.index($0) == plain.index($0) })
        #expect((0..<7).allSatisfy { abs(whole.rows.weight($0) - plain.weight($0)) < 1e-6 })
    }

    @Test(arguments: [nil, 114 as Float]) func paddingSurroundsThePicture(_ padding: Float?) throws {
        let input = try ModelCard.Input(
            geometry: .letterbox(.init(width: 6, height: 8)), padding: padding, mean: [10, 20, 30], std: [2, 4, 5])
        let image = try Image(width: 3, height: 2, red: 50, green: 60, blue: 70)
        let values = try Preprocessor(input).tensor(for: image, threads: 2).array(of: Float.self)
        for (plane, colour) in [(50 - 10) / 2, (60 - 20) / 4, (70 - 30) / 5].enumerated() {
            let around = padding.map { ($0 - [10, 20, 30][plane]) * [0.5, 0.25, 0.2][plane] } ?? 0
            for row in 0..<8 {
                let expected = (2..<6).contains(row) ? Float(colour) : around
                #expect((0..<6).allSatisfy { abs(values[plane * 48 + row * 6 + $0] - expected) < 1e-5 })
            }
        }
    }

    @Test func cropsTakeThePixelsOfTheMiddle() throws {
        var pixels: [UInt8] = []
        for _ in 0..<2 { for column in 0..<6 { pixels += [UInt8(column), 0, 0] } }
        let input = try ModelCard.Input(geometry: .centerCrop(width: 2, height: 2, shortSide: 2))
        let values = try Preprocessor(input).tensor(for: Image(width: 6, height: 2, pixels: pixels))
            .array(of: Float.self)
        #expect(values == [2, 3, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0])
    }
}
