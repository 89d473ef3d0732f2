import CFreeType
import TensorCore

/// How much of each pixel a shape covers: 0...255, row-major.
struct CoverageMap {
    let width: Int
    let height: Int
    var values: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        values = [UInt8](repeating: 0, count: width * height)
    }

    /// The shape grown by `radius` pixels on every side; the map grows by `margin` on every side.
    func grown(by radius: Float, margin: Int) -> CoverageMap {
        var result = CoverageMap(width: width + 2 * margin, height: height + 2 * margin)
        for dy in -margin...margin {
            for dx in -margin...margin {
                let weight = min(max(radius + 0.5 - Float(dx * dx + dy * dy).squareRoot(), 0), 1)
                guard weight > 0 else { continue }
                for y in 0..<height {
                    let target = (y + margin + dy) * result.width + margin + dx
                    for x in 0..<width where values[y * width + x] != 0 {
                        let value = UInt8(Float(values[y * width + x]) * weight)
                        if value > result.values[target + x] { result.values[target + x] = value }
                    }
                }
            }
        }
        return result
    }
}

/// Anti-aliased lines of text by FreeType: one glyph a Unicode scalar, left to right, with kerning and sub-pixel
/// positions. Scripts that need shaping are drawn unshaped.
final class TextRenderer {
    /// A line of text is cut after this many scalars.
    static let maximumScalars = 256
    /// Hinted vertically only, outlines only: widths then scale evenly with the size.
    private static let loadFlags = FT_Int32(FT_LOAD_NO_BITMAP) | 1 << 16

    private let library: FT_Library
    private let faces: [FT_Face]
    private let size: Float

    /// - Parameters:
    ///   - fonts: paths in order of preference; those that cannot be opened are passed over, the first that has a
    ///     character draws it.
    ///   - size: of the em square, in pixels.
    /// - Throws: `image` if none of the fonts can be opened.
    init(fonts: [String], size: Float) throws(SardonyxError) {
        var library: FT_Library?
        guard FT_Init_FreeType(&library) == 0, let library else {
            throw SardonyxError(.image, "text", "FreeType cannot be started")
        }
        let faces = fonts.compactMap { path -> FT_Face? in
            var face: FT_Face?
            guard FT_New_Face(library, path, 0, &face) == 0, let face else { return nil }
            guard FT_Set_Char_Size(face, 0, FT_F26Dot6(size * 64), 72, 72) == 0 else {
                FT_Done_Face(face)
                return nil
            }
            return face
        }
        guard !faces.isEmpty else {
            FT_Done_FreeType(library)
            throw SardonyxError(
                .image, "text", "no font can be opened", got: fonts.joined(separator: ", "),
                hint: "Install fonts-dejavu-core, name a font file, or draw without labels")
        }
        (self.library, self.faces, self.size) = (library, faces, size)
    }

    deinit { FT_Done_FreeType(library) }

    /// Rows above and below the baseline that a line takes.
    var ascent: Int { Int((0.94 * size).rounded(.up)) }
    var descent: Int { Int((0.24 * size).rounded(.up)) }

    /// The width of a line in pixels.
    func width(of text: String) -> Float {
        place(text).width
    }

    /// The line as coverage, `ascent + descent` rows high; the baseline lies below row `ascent - 1`.
    func render(_ text: String) -> CoverageMap {
        let line = place(text)
        var map = CoverageMap(width: Int(line.width.rounded(.up)) + 2, height: ascent + descent)
        for glyph in line.glyphs {
            let left = glyph.x.rounded(.down)
            guard FT_Load_Glyph(glyph.face, glyph.index, Self.loadFlags) == 0, let slot = glyph.face.pointee.glyph
            else {
                continue
            }
            FT_Outline_Translate(&slot.pointee.outline, FT_Pos((glyph.x - left) * 64), 0)
            guard FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) == 0 else { continue }
            add(
                slot.pointee.bitmap, to: &map, x: Int(left) + 1 + Int(slot.pointee.bitmap_left),
                y: ascent - Int(slot.pointee.bitmap_top))
        }
        return map
    }

    private func add(_ bitmap: FT_Bitmap, to map: inout CoverageMap, x left: Int, y top: Int) {
        guard let buffer = bitmap.buffer, bitmap.pixel_mode == UInt8(FT_PIXEL_MODE_GRAY.rawValue) else { return }
        for row in 0..<Int(bitmap.rows) where top + row >= 0 && top + row < map.height {
            for column in 0..<Int(bitmap.width) where left + column >= 0 && left + column < map.width {
                let target = (top + row) * map.width + left + column
                map.values[target] = max(map.values[target], buffer[row * Int(bitmap.pitch) + column])
            }
        }
    }

    private struct Glyph {
        let face: FT_Face
        let index: FT_UInt
        let x: Float
    }

    private func place(_ text: String) -> (glyphs: [Glyph], width: Float) {
        var glyphs: [Glyph] = []
        var pen: Float = 0
        for scalar in text.unicodeScalars.prefix(Self.maximumScalars) {
            let code = scalar.properties.generalCategory == .control ? UInt(UInt8(ascii: " ")) : UInt(scalar.value)
            let face = faces.first { FT_Get_Char_Index($0, code) != 0 } ?? faces[0]
            let index = FT_Get_Char_Index(face, code)
            if let last = glyphs.last, last.face == face {
                var kerning = FT_Vector()
                if FT_Get_Kerning(face, last.index, index, FT_KERNING_UNFITTED.rawValue, &kerning) == 0 {
                    pen += Float(kerning.x) / 64
                }
            }
            guard FT_Load_Glyph(face, index, Self.loadFlags) == 0, let slot = face.pointee.glyph else { continue }
            glyphs.append(Glyph(face: face, index: index, x: max(0, pen)))
            pen += Float(slot.pointee.linearHoriAdvance) / 65536
        }
        return (glyphs, max(0, pen))
    }
}
