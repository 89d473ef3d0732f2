import Detection
import Glibc
import TensorCore
import Testing

@testable import Media

/// A made-up object: an ellipse inside its box.
func ellipse(_ label: String, _ rank: Int, _ box: Box<Int>, width: Int, height: Int) throws -> Instance {
    var bytes = [UInt8](repeating: 0, count: width * height)
    for y in max(0, box.y1)..<min(height, box.y2) {
        for x in max(0, box.x1)..<min(width, box.x2) {
            let dx = (Double(x) + 0.5 - Double(box.x1 + box.x2) / 2) / (Double(box.width) / 2)
            let dy = (Double(y) + 0.5 - Double(box.y1 + box.y2) / 2) / (Double(box.height) / 2)
            if dx * dx + dy * dy < 1 { bytes[y * width + x] = 1 }
        }
    }
    let exact = Box<Float>(x1: Float(box.x1), y1: Float(box.y1), x2: Float(box.x2), y2: Float(box.y2))
    return Instance(
        classIndex: rank, label: label, categoryID: rank + 1, score: 0.97 - 0.06 * Float(rank), box: box,
        exactBox: exact,
        mask: RLE(try Bitmap(width: width, height: height, bytes: bytes)))
}

@Suite struct OverlayTests {
    private static let size = 200

    private func instances(_ boxes: [Box<Int>]) throws -> Instances {
        let size = Self.size
        return Instances(
            try boxes.enumerated().map { try ellipse("cat", $0.offset, $0.element, width: size, height: size) },
            imageWidth: size, imageHeight: size)
    }

    private func pixel(_ image: Image, _ x: Int, _ y: Int) -> [Int] {
        (0..<3).map { Int(image.pixels[(y * image.width + x) * 3 + $0]) }
    }

    private var grey: Image {
        get throws { try Image(width: Self.size, height: Self.size, red: 100, green: 100, blue: 100) }
    }

    private var masksOnly: OverlayStyle {
        var style = OverlayStyle()
        (style.showsBoxes, style.showsLabels, style.showsContours) = (false, false, false)
        return style
    }

    /// 0.55 of the picture and 0.45 of the palette's first colour (244, 67, 54), to a rounding step.
    @Test func masksAreMixedAtTheGivenShare() throws {
        let box = Box(x1: 40, y1: 40, x2: 160, y2: 160)
        let found = try instances([box])
        let drawn = try Overlay.draw(grey, found, style: masksOnly)
        for (channel, expected) in zip(pixel(drawn, 100, 100), [164.8, 85.15, 79.3]) {
            #expect(abs(Double(channel) - expected) <= 1)
        }
        let bitmap = try #require(found[0].bitmap())
        for y in 0..<Self.size {
            for x in 0..<Self.size { #expect((pixel(drawn, x, y) != [100, 100, 100]) == bitmap[x: x, y: y]) }
        }
    }

    @Test func theBestLiesOnTop() throws {
        var style = masksOnly
        style.maskAlpha = 1
        let box = Box(x1: 40, y1: 40, x2: 160, y2: 160)
        let drawn = try Overlay.draw(grey, instances([box, box, box]), style: style)
        #expect(pixel(drawn, 100, 100) == [244, 67, 54])
    }

    @Test func nothingFoundLeavesThePictureAlone() throws {
        let image = try ImageFile.read(Fixtures.path("rgb-8.png"))
        let none = Instances([], imageWidth: image.width, imageHeight: image.height)
        #expect(try Overlay.draw(image, none) == image)
    }

    @Test func contourAndBoxStayNearTheirEdges() throws {
        var style = OverlayStyle()
        (style.showsMasks, style.showsLabels) = (false, false)
        let drawn = try Overlay.draw(grey, instances([Box(x1: 40, y1: 40, x2: 160, y2: 160)]), style: style)
        for y in 0..<Self.size {
            for x in 0..<Self.size where pixel(drawn, x, y) != [100, 100, 100] {
                let radius = (pow(Double(x) - 99.5, 2) + pow(Double(y) - 99.5, 2)).squareRoot()
                let side = max(abs(Double(x) - 99.5), abs(Double(y) - 99.5))
                #expect(abs(radius - 60) < 3 || abs(side - 60) < 4)
            }
        }
        // The contour is there: its leftmost point, hidden by the box, aside, at 45 degrees.
        #expect(pixel(drawn, 142, 142) != [100, 100, 100])
    }

    @Test func labelsStayInsideAndApart() {
        var layout = LabelLayout(width: 400, height: 300)
        var placed: [Frame] = []
        for index in 0..<8 {
            let at = Float(index % 4) * 8
            let box = Frame(left: at, top: at, right: 380 - at, bottom: 290)
            let frame = layout.place(width: 80, height: 20, at: box)
            #expect(frame.left >= 0 && frame.top >= 0 && frame.right <= 400 && frame.bottom <= 300)
            #expect(placed.allSatisfy { $0.overlap(frame) == 0 })
            placed.append(frame)
        }
    }

    @Test func palettesColoursCycle() {
        #expect(Set((0..<19).map(Color.forIndex)).count == 19)
        #expect(Color.forIndex(19) == Color.forIndex(0))
        #expect(Color.forIndex(1) == Color(33, 150, 243))
        #expect(Color.palette.contains(Color.forIndex(.min)))
    }

    @Test func scoresHaveTwoDecimals() {
        let values: [(Float, String)] = [(0.87, "0.87"), (1, "1.00"), (0.005, "0.01"), (0.0499, "0.05"), (.nan, "nan")]
        for (value, text) in values { #expect(LabelTags.twoDecimals(value) == text) }
    }

    @Test func textBeyondASCIIIsDrawn() throws {
        let renderer = try TextRenderer(fonts: OverlayStyle.systemFonts, size: 24)
        let lines = ["кот", "γάτα", "Žirafa", "chat"].map(renderer.render)
        for line in lines { #expect(line.values.contains(255)) }
        #expect(Set(lines.map(\.values)).count == 4)
        #expect(renderer.width(of: "кот кот") > 1.9 * renderer.width(of: "кот"))
        // A control character takes a space's place.
        #expect(renderer.render("a\nb").values == renderer.render("a b").values)
    }

    @Test func wrongSizesAndMissingFontsAreErrors() throws {
        let found = try instances([Box(x1: 1, y1: 1, x2: 9, y2: 9)])
        let size = #expect(throws: SardonyxError.self) { try Overlay.draw(Image(width: 10, height: 10), found) }
        #expect(size?.description.contains("got 200×200, allowed 10×10") == true)
        var style = OverlayStyle()
        style.fonts = ["/absent.ttf", "/dev/null"]
        let font = #expect(throws: SardonyxError.self) { try Overlay.draw(grey, found, style: style) }
        #expect(font?.description.contains("fonts-dejavu-core") == true)
    }

    @Test func oddStylesBoxesAndLabelsAreDrawnWithoutHarm() throws {
        let size = Self.size
        let full = try ellipse("x", 0, Box(x1: 0, y1: 0, x2: size, y2: size), width: size, height: size)
        let labels = ["", String(repeating: "long ", count: 100), "\u{0}\u{FFFF}", "👩‍👩‍👧‍👦 family", "cat"]
        let boxes = [
            Box(x1: 0, y1: 0, x2: 0, y2: 0), Box(x1: .min, y1: -5, x2: .max, y2: 900),
            Box(x1: 199, y1: 199, x2: 200, y2: 200),
            Box(x1: 50, y1: 60, x2: 40, y2: 30), Box(x1: 0, y1: 0, x2: 200, y2: 1),
        ]
        let empty = try RLE(width: size, height: size, counts: [UInt32(size * size)])
        let odd = zip(labels, boxes).map { label, box in
            Instance(
                classIndex: -7, label: label, categoryID: 0, score: .nan, box: box, exactBox: full.exactBox, mask: empty
            )
        }
        let found = Instances(odd + [full], imageWidth: size, imageHeight: size)
        for value: Float in [.nan, .infinity, -1, 0, 0.01, 50] {
            var style = OverlayStyle()
            (style.scale, style.maskAlpha, style.coloring) = (value, value, .category)
            _ = try Overlay.draw(grey, found, style: style)
        }
        let dot = try ellipse("dot", 0, Box(x1: 0, y1: 0, x2: 1, y2: 1), width: 1, height: 1)
        _ = try Overlay.draw(Image(width: 1, height: 1), Instances([dot], imageWidth: 1, imageHeight: 1))
    }

    @Test func cutoutsAreTransparentOutsideTheMask() throws {
        let found = try instances([Box(x1: 50, y1: 20, x2: 110, y2: 180)])[0]
        let png = try Cutout.encode(found, of: grey)
        #expect(png[25] == 6)
        let cut = try ImageFile.decode(png)
        #expect((cut.width, cut.height) == (60, 160))
        #expect(pixel(cut, 0, 0) == [0, 0, 0])
        #expect(pixel(cut, 30, 80) == [100, 100, 100])
        let empty = try RLE(width: 200, height: 200, counts: [40_000])
        let none = Instance(
            classIndex: 0, label: "", categoryID: 1, score: 0, box: found.box, exactBox: found.exactBox, mask: empty)
        #expect(throws: SardonyxError.self) { try Cutout.encode(none, of: grey) }
    }
}
