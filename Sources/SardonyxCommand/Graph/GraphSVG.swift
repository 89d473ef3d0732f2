import Sardonyx

/// A graph as a picture, all groups open, in the coordinates of its layout.
struct GraphSVG {
    private let drawing: GraphDrawing
    private var canvas: SVGCanvas
    private static let margin = 24.0
    private static let header = 56.0

    static func render(_ drawing: GraphDrawing, title: String) -> String {
        let size = drawing.layout.groups[0].size
        let width = max(size.width + 2 * margin, 480)
        var picture = GraphSVG(drawing, SVGCanvas(width: width))
        picture.draw(title)
        return picture.canvas.document(height: size.height + header + margin, title: title)
    }

    private init(_ drawing: GraphDrawing, _ canvas: SVGCanvas) {
        self.drawing = drawing
        self.canvas = canvas
    }

    private mutating func draw(_ title: String) {
        let layout = drawing.layout
        let places = GraphPlacement(layout, x: canvas.width / 2, y: Self.header)
        canvas.text(
            SVGCanvas.fitted(title, size: 16, width: canvas.width - 2 * Self.margin) ?? title, Self.margin, 32,
            size: 16, weight: 700)
        for (index, group) in layout.groups.enumerated() where group.parent != nil {
            let box = places.groups[index]
            canvas.rect(
                box.x - box.width / 2, box.y, box.width, box.height,
                fill: places.depths[index] % 2 == 1 ? "#f4f6f9" : "#ffffff", radius: 8, stroke: SVGCanvas.hairline)
        }
        for line in layout.lines {
            for points in places.paths(line) { canvas.curve(points, stroke: "#98a2b3") }
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
        let tip: String
        if case .node(let node) = item.subject { tip = drawing.report.nodes[node].name } else { tip = item.title }
        canvas.rect(
            box.x - box.width / 2, box.y, box.width, box.height, fill: item.kind?.tint ?? "#ffffff",
            radius: item.kind == nil ? box.height / 2 : 6, stroke: item.kind?.color ?? "#667085", tip: tip)
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
