import Foundation

/// A drawing of a given width in SVG 1.1, lengths in pixels.
struct SVGCanvas {
    enum Anchor: String { case start, middle, end }

    let width: Double
    private var body = ""

    static let ink = "#1a202c"
    static let faint = "#667085"
    static let hairline = "#d5dae1"

    init(width: Double) { self.width = width }

    /// - Parameter height: of the whole drawing.
    func document(height: Double, title: String) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.number(width))" height="\(Self.number(height))" \
        viewBox="0 0 \(Self.number(width)) \(Self.number(height))" \
        font-family="Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif" fill="\(Self.ink)">
        <title>\(Self.escaped(title))</title>
        <rect width="100%" height="100%" fill="#ffffff"/>
        \(body)</svg>

        """
    }

    /// - Parameter tip: shown by viewers while the pointer rests on it.
    mutating func rect(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String, radius: Double = 0,
        stroke: String? = nil, dash: String? = nil, tip: String? = nil
    ) {
        let shape =
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(max(width, 0)))\" height=\"\(Self.number(max(height, 0)))\""
            + (radius > 0 ? " rx=\"\(Self.number(radius))\"" : "") + " fill=\"\(fill)\""
            + (stroke.map { " stroke=\"\($0)\"" } ?? "") + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "")
        add(shape, tip)
    }

    mutating func circle(
        _ x: Double, _ y: Double, radius: Double, fill: String, opacity: Double = 1, tip: String? = nil
    ) {
        add(
            "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(radius))\" fill=\"\(fill)\" fill-opacity=\"\(Self.number(opacity))\" stroke=\"#ffffff\" stroke-width=\"0.8\"",
            tip)
    }

    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, stroke: String = SVGCanvas.hairline,
        width: Double = 1, dash: String? = nil
    ) {
        body +=
            "<line x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\" y2=\"\(Self.number(y2))\" stroke=\"\(stroke)\" stroke-width=\"\(Self.number(width))\""
            + (dash.map { " stroke-dasharray=\"\($0)\"" } ?? "") + "/>\n"
    }

    /// A line through points, straight between points above each other, else curved so that it arrives vertically.
    /// - Parameter arrow: half the width of the arrowhead at its end, which points down.
    mutating func curve(
        _ points: [GraphPlacement.Point], stroke: String, width: Double = 1.2, arrow: Double? = nil
    ) {
        guard let first = points.first, let last = points.last else { return }
        var path = "M\(Self.number(first.x)) \(Self.number(first.y))"
        for (from, to) in zip(points, points.dropFirst()) where from.x != to.x || from.y != to.y {
            if from.x == to.x {
                path += "V\(Self.number(to.y))"
            } else {
                let middle = Self.number((from.y + to.y) / 2)
                path +=
                    "C\(Self.number(from.x)) \(middle) \(Self.number(to.x)) \(middle) \(Self.number(to.x)) \(Self.number(to.y))"
            }
        }
        body += "<path d=\"\(path)\" fill=\"none\" stroke=\"\(stroke)\" stroke-width=\"\(Self.number(width))\"/>\n"
        guard let arrow else { return }
        body +=
            "<path d=\"M\(Self.number(last.x)) \(Self.number(last.y))l\(Self.number(-arrow)) \(Self.number(-2 * arrow))h\(Self.number(2 * arrow))z\" fill=\"\(stroke)\"/>\n"
    }

    /// - Parameters:
    ///   - y: of the baseline.
    ///   - isVertical: reads upwards from (x, y).
    mutating func text(
        _ text: String, _ x: Double, _ y: Double, size: Double = 12, fill: String = SVGCanvas.ink,
        weight: Int = 400, anchor: Anchor = .start, isVertical: Bool = false
    ) {
        guard !text.isEmpty else { return }
        let position =
            isVertical
            ? "transform=\"translate(\(Self.number(x)) \(Self.number(y))) rotate(-90)\""
            : "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
        body +=
            "<text \(position) font-size=\"\(Self.number(size))\" fill=\"\(fill)\""
            + (weight == 400 ? "" : " font-weight=\"\(weight)\"")
            + (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"") + ">\(Self.escaped(text))</text>\n"
    }

    private mutating func add(_ shape: String, _ tip: String?) {
        guard let tip else { return body += shape + "/>\n" }
        let tag = shape.dropFirst().prefix { $0 != " " }
        body += shape + "><title>\(Self.escaped(tip))</title></\(tag)>\n"
    }

    /// Width of a character by its size: the mean of names and shapes in DejaVu Sans, the widest of the fonts.
    private static let advance = 0.66

    /// The pixels that a text takes at most, near enough for deciding whether it fits.
    static func width(of text: String, size: Double) -> Double { Double(text.count) * size * advance }

    /// The text, or its end behind an ellipsis, in at most this many pixels; `nil` when not even five characters fit.
    static func fitted(_ text: String, size: Double, width: Double) -> String? {
        let room = Int(max(0, min(width, 1e6)) / (size * advance))
        if text.count <= room { return text }
        return room < 5 ? nil : "…" + text.suffix(room - 1)
    }

    private static func number(_ value: Double) -> String {
        let text = String(format: "%.2f", value.isFinite ? value : 0)
        return text.hasSuffix(".00") ? String(text.dropLast(3)) : text
    }

    /// Characters that XML 1.0 does not allow become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += " "
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
