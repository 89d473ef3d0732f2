/// What an overlay shows and how.
public struct OverlayStyle: Sendable, Hashable {
    /// What decides an instance's colour.
    public enum Coloring: Sendable, Hashable {
        /// Its rank in the list: neighbours of one class stay apart.
        case rank
        /// Its class: the same in every picture and frame.
        case category
    }

    public var showsMasks = true
    /// A line along the edge of each mask.
    public var showsContours = true
    public var showsBoxes = true
    public var showsLabels = true
    /// The score behind the class name.
    public var showsScores = true
    /// Share of the colour inside a mask, 0...1.
    public var maskAlpha: Float = 0.45
    public var coloring = Coloring.rank
    /// Multiplies line widths and text size, which otherwise follow the picture's size; 0.1...10.
    public var scale: Float = 1
    /// Font files in order of preference; a character missing in one is taken from the next that has it.
    public var fonts = OverlayStyle.systemFonts

    public init() {}

    /// Where Debian puts DejaVu Sans (fonts-dejavu-core) and, for Chinese, Japanese and Korean, Noto (fonts-noto-cjk).
    public static let systemFonts = [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    ]
}

/// The measures of one overlay in pixels, from the picture's size.
struct OverlayMetrics {
    let textSize: Float
    let line: Float

    init(width: Int, height: Int, scale: Float) {
        let side = (Float(width) * Float(height)).squareRoot()
        let scale = scale.isFinite ? min(max(scale, 0.1), 10) : 1
        textSize = max(8, 0.027 * side) * scale
        line = max(1, 0.0032 * side) * scale
    }

    /// A dark rim around lines, so that they read on a background of their own colour.
    var rim: Float { max(0.5, line * 0.4) }
    var corner: Float { line * 1.5 }
    var tagPadding: Int { max(1, Int(textSize * 0.25)) }
    var outline: Float { max(0.7, textSize * 0.06) }
}
