import Sardonyx

/// A graph as a picture, all groups open, in the coordinates of its layout.
struct GraphSVG {
    private let drawing: GraphDrawing
    private let legend: [LegendEntry]
    private var canvas: SVGCanvas

    private static let margin = 24.0
    private static let legendTop = 52.0
    private static let legendRow = 20.0
    private static let wire = "#98a2b3"

    private struct LegendEntry {
        let kind: OperatorClass
        let text: String
        let x: Double
        let row: Int
    }

    static func render(_ drawing: GraphDrawing, title: String) -> String {
        var picture = GraphSVG(drawing)
        picture.draw(title)
        let height = picture.header + drawing.layout.groups[0].size.height + margin
        return picture.canvas.document(height: height, title: title)
    }

    private init(_ drawing: GraphDrawing) {
        self.drawing = drawing
        canvas = SVGCanvas(width: max(drawing.layout.groups[0].size.width + 2 * Self.margin, 480))
        legend = Self.legend(drawing, width: canvas.width)
    }

    /// Above the graph.
    private var header: Double { Self.legendTop + Double((legend.last?.row ?? -1) + 1) * Self.legendRow + 10 }

    /// What the colours mean, the most frequent first, in as many rows as it takes.
    private static func legend(_ drawing: GraphDrawing, width: Double) -> [LegendEntry] {
        let counts = Dictionary(drawing.items.compactMap { item in item.kind.map { ($0, 1) } }, uniquingKeysWith: +)
        var (x, row) = (margin, 0)
        return counts.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }.map { kind, count in
            let text = "\(kind.rawValue) \(count)"
            let room = SVGCanvas.width(of: text, size: 11) + 34
            if x > margin, x + room > width - margin { (x, row) = (margin, row + 1) }
            defer { x += room }
            return LegendEntry(kind: kind, text: text, x: x, row: row)
        }
    }

    private mutating func draw(_ title: String) {
        let layout = drawing.layout
        let places = GraphPlacement(layout, x: canvas.width / 2, y: header)
        canvas.text(
            SVGCanvas.fitted(title, size: 16, width: canvas.width - 2 * Self.margin) ?? title, Self.margin, 32,
            size: 16, weight: 700)
        for entry in legend {
            let y = Self.legendTop + Double(entry.row) * Self.legendRow
            canvas.rect(entry.x, y, 11, 11, fill: entry.kind.color, radius: 3)
            canvas.text(entry.text, entry.x + 17, y + 9.5, size: 11, fill: SVGCanvas.faint)
        }
        for (index, group) in layout.groups.enumerated() where group.parent != nil {
            let box = places.groups[index]
            canvas.rect(
                box.x - box.width / 2, box.y, box.width, box.height,
                fill: places.depths[index] % 2 == 1 ? "#f4f6f9" : "#ffffff", radius: 8,
                stroke: group.kind.isBody ? Self.wire : SVGCanvas.hairline, dash: group.kind.isBody ? "5 4" : nil)
        }
        for line in layout.lines {
            for (target, points) in zip(line.targets, places.paths(line)) {
                // What leads into a group, or out of one, goes on there.
                if case .item = target.end {
                    canvas.curve(points, stroke: Self.wire, arrow: 3)
                } else {
                    canvas.curve(points, stroke: Self.wire)
                }
            }
        }
        for (index, group) in layout.groups.enumerated() where group.parent != nil {
            let box = places.groups[index]
            let text = SVGCanvas.fitted(group.title, size: 11, width: box.width - 16) ?? ""
            canvas.rect(
                box.x - box.width / 2 + 6, box.y + 4, SVGCanvas.width(of: text, size: 11) + 4, 16,
                fill: places.depths[index] % 2 == 1 ? "#f4f6f9" : "#ffffff", radius: 3)
            canvas.text(text, box.x - box.width / 2 + 8, box.y + 16, size: 11, fill: SVGCanvas.faint, weight: 600)
        }
        for (index, item) in drawing.items.enumerated() { draw(item, places.items[index]) }
    }

    private mutating func draw(_ item: GraphDrawing.Item, _ box: GraphPlacement.Box) {
        canvas.rect(
            box.x - box.width / 2, box.y, box.width, box.height, fill: item.kind?.tint ?? "#ffffff",
            radius: item.kind == nil ? box.height / 2 : 6, stroke: item.kind?.color ?? "#667085", tip: item.tip)
        let room = box.width - 12
        let title = SVGCanvas.fitted(item.title, size: GraphDrawing.titleSize * 0.92, width: room) ?? ""
        let isAlone = item.subtitle.isEmpty
        canvas.text(
            title, box.x, box.y + (isAlone ? box.height / 2 + 4 : 17), size: GraphDrawing.titleSize, weight: 600,
            anchor: .middle)
        let subtitle = SVGCanvas.fitted(item.subtitle, size: GraphDrawing.subtitleSize * 0.92, width: room) ?? ""
        canvas.text(
            subtitle, box.x, box.y + 32, size: GraphDrawing.subtitleSize, fill: SVGCanvas.faint, anchor: .middle)
    }
}
