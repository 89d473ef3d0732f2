import Detection
import TensorCore

/// The label tags of one overlay, laid out and rendered.
struct LabelTags {
    private struct Tag {
        let frame: Frame
        let color: Color
        let text: CoverageMap
        let outline: CoverageMap
    }

    private let tags: [Tag]
    private let metrics: OverlayMetrics
    private let padding: Int
    private let margin: Int

    /// - Throws: `image` if no font can be opened.
    init(_ instances: Instances, _ style: OverlayStyle, _ metrics: OverlayMetrics) throws(SardonyxError) {
        let (width, height) = (instances.imageWidth, instances.imageHeight)
        let padding = metrics.tagPadding
        let margin = Int(metrics.outline.rounded(.up))
        let renderer = try TextRenderer(fonts: style.fonts, size: metrics.textSize)
        var layout = LabelLayout(width: width, height: height)
        var tags: [Tag] = []
        for (rank, instance) in instances.enumerated() {
            let score = style.showsScores ? Self.twoDecimals(instance.score) : nil
            let line = Self.fit(instance.label, score, into: Float(width - 2 * padding - 2), renderer)
            let text = renderer.render(line)
            let frame = layout.place(
                width: Float(text.width + 2 * padding), height: Float(text.height + 2 * Self.rowPadding(padding)),
                at: Overlay.frame(instance.box, width: width, height: height))
            tags.append(
                Tag(
                    frame: frame, color: Overlay.color(of: instance, rank, style), text: text,
                    outline: text.grown(by: metrics.outline, margin: margin)))
        }
        (self.tags, self.metrics, self.padding, self.margin) = (tags, metrics, padding, margin)
    }

    /// Draws the last-ranked tag first.
    func draw(on canvas: Canvas) {
        for tag in tags.reversed() {
            let radius = Float(padding)
            canvas.fill(tag.frame, radius: radius, tag.color, alpha: 0.92)
            canvas.stroke(tag.frame.insetBy(0.5), radius: radius, thickness: max(1, metrics.rim), .black, alpha: 0.35)
            let dark = tag.color.luma > 0.62
            let (x, y) = (Int(tag.frame.left) + padding, Int(tag.frame.top) + Self.rowPadding(padding))
            canvas.draw(tag.outline, x: x - margin, y: y - margin, dark ? .white : .black, alpha: dark ? 0.45 : 0.6)
            canvas.draw(tag.text, x: x, y: y, dark ? .black : .white, alpha: 1)
        }
    }

    private static func rowPadding(_ padding: Int) -> Int { padding / 4 }

    /// The longest of `name score`, `na… score`, `name`, `na…` that is not wider than `width`.
    private static func fit(_ name: String, _ score: String?, into width: Float, _ renderer: TextRenderer) -> String {
        let name = String(name.prefix(TextRenderer.maximumScalars / 2))
        for suffix in score.map({ [" " + $0, ""] }) ?? [""] {
            for count in stride(from: name.count, through: 1, by: -1) {
                let line = (count == name.count ? name : name.prefix(count) + "…") + suffix
                if renderer.width(of: line) <= width { return line }
            }
        }
        return String(name.prefix(1))
    }

    /// For example `0.87`.
    static func twoDecimals(_ value: Float) -> String {
        guard let hundredths = CheckedSize.integer((value * 100).rounded()), abs(hundredths) < 1_000_000 else {
            return "\(value)"
        }
        let fraction = abs(hundredths) % 100
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
