/// Absolute coordinates of a layout with all groups open.
struct GraphPlacement {
    /// `x` is the middle, `y` the upper edge.
    struct Box {
        var x = 0.0
        var y = 0.0
        var width = 0.0
        var height = 0.0
    }

    struct Point {
        let x: Double
        let y: Double
    }

    private let layout: GraphLayout
    private(set) var groups: [Box]
    private(set) var items: [Box]
    private(set) var depths: [Int]
    /// By group and row: upper and lower edge.
    private var rows: [[(top: Double, bottom: Double)]]

    /// - Parameters:
    ///   - x: middle of the drawing.
    ///   - y: its upper edge.
    init(_ layout: GraphLayout, x: Double, y: Double) {
        self.layout = layout
        groups = layout.groups.map { Box(width: $0.size.width, height: $0.size.height) }
        items = layout.sizes.map { Box(width: $0.width, height: $0.height) }
        depths = layout.groups.map { _ in 0 }
        rows = layout.groups.map { _ in [] }
        groups[0].x = x
        groups[0].y = y
        // Groups come after those around them.
        for (index, group) in layout.groups.enumerated() {
            if let parent = group.parent {
                groups[index].x = groups[parent].x + group.place.x
                groups[index].y = rows[parent][group.place.row].top
                depths[index] = depths[parent] + 1
            }
            place(group, index)
        }
    }

    private mutating func place(_ group: GraphLayout.Group, _ index: Int) {
        var heights = [Double](repeating: 0, count: group.gaps.count - 1)
        for member in group.members {
            switch member {
            case .item(let item):
                let row = layout.places[item].row
                heights[row] = max(heights[row], items[item].height)
            case .group(let inner):
                let row = layout.groups[inner].place.row
                heights[row] = max(heights[row], groups[inner].height)
            }
        }
        var y = groups[index].y + (group.parent == nil ? 0 : GraphLayout.titleHeight)
        for (gap, height) in zip(group.gaps, heights) {
            rows[index].append((y + gap, y + gap + height))
            y += gap + height
        }
        for case .item(let item) in group.members {
            items[item].x = groups[index].x + layout.places[item].x
            items[item].y = rows[index][layout.places[item].row].top
        }
    }

    /// The points of a line's branches, one list for each target. Between two points that lie above each other it is
    /// straight, else a curve that leaves and arrives vertically.
    func paths(_ line: GraphLayout.Line) -> [[Point]] {
        let box = groups[line.group]
        let rows = rows[line.group]
        let start: Double
        switch line.source {
        case .item(let item): start = items[item].y + items[item].height
        case .group(let group): start = groups[group].y + groups[group].height
        case .port: start = box.y
        }
        return line.targets.map { target in
            var points = [Point(x: box.x + line.sourceX, y: start)]
            points.append(Point(x: box.x + line.sourceX, y: rows[line.sourceRow].bottom))
            for row in line.sourceRow + 1..<max(target.row, line.sourceRow + 1) {
                guard row - line.sourceRow - 1 < line.bends.count else { break }
                let x = box.x + line.bends[row - line.sourceRow - 1]
                points += [Point(x: x, y: rows[row].top), Point(x: x, y: rows[row].bottom)]
            }
            let end = target.end == .port ? box.y + box.height : rows[target.row].top
            points.append(Point(x: box.x + target.x, y: end))
            return points
        }
    }
}
