/// Coordinates for a graph whose nodes lie in nested groups.
///
/// Every group is laid out by itself and then is one node of the group around it, so boxes never overlap. Positions are
/// relative: a member has a row, and a middle within its group; rows are as high as their highest member. With that a
/// group can be closed, and what is below moves up, without anything being laid out again.
struct GraphLayout {
    struct Size {
        let width: Double
        let height: Double
    }

    struct Edge: Hashable {
        let from: Int
        let to: Int
        /// Edges of one value from one item share their line.
        let value: Int
    }

    /// Where a member lies in its group.
    struct Place {
        var row = 0
        /// Of its middle.
        var x = 0.0
    }

    /// What a line on a level begins or ends at.
    enum End: Hashable {
        case item(Int)
        case group(Int)
        /// The edge of the group itself: above for a beginning, below for an end.
        case port
    }

    struct Group {
        let title: String
        let kind: GraphScope.Kind
        let parent: Int?
        let members: [GraphGroups.Member]
        var place = Place()
        /// Open.
        var size = Size(width: 0, height: 0)
        /// Before, between and behind the rows.
        var gaps: [Double] = []
        var itemCount = 0
    }

    /// The part of a value's line that lies on one level.
    struct Line {
        struct Target {
            let end: End
            let row: Int
            let x: Double
        }

        let group: Int
        let value: Int
        let source: End
        let sourceRow: Int
        let sourceX: Double
        /// From the row below the source on; too few where a line is too long to have any.
        let bends: [Double]
        let targets: [Target]
    }

    private(set) var groups: [Group]
    let groupOfItem: [Int]
    let sizes: [Size]
    private(set) var places: [Place]
    private(set) var lines: [Line] = []

    static let titleHeight = 26.0
    static let padding = 14.0
    static let rowGap = 34.0
    /// A closed group.
    static let closedHeight = 40.0

    static func closedWidth(title: String) -> Double { min(260, max(120, Double(title.count) * 7.2 + 48)) }

    /// - Parameters:
    ///   - sizes: of the items.
    ///   - scopes: of the items.
    ///   - edges: without cycles.
    init(sizes: [Size], scopes: [[GraphScope]], edges: [Edge]) {
        let nested = GraphGroups(scopes: scopes, edges: edges.map { ($0.from, $0.to) })
        self.sizes = sizes
        groupOfItem = nested.groupOfItem
        places = [Place](repeating: Place(), count: sizes.count)
        groups = nested.groups.map {
            Group(title: $0.title, kind: $0.kind, parent: $0.parent, members: $0.members)
        }
        let wires = GraphWires(nested, edges)
        // Inner groups have greater numbers.
        for group in groups.indices.reversed() { layOut(group, wires.levels[group]) }
    }

    private mutating func layOut(_ index: Int, _ wires: GraphWires.Level) {
        let members = groups[index].members
        var vertexOf: [End: Int] = [:]
        for (vertex, member) in members.enumerated() {
            switch member {
            case .item(let item): vertexOf[.item(item)] = vertex
            case .group(let group): vertexOf[.group(group)] = vertex
            }
        }
        let upper = Dictionary(uniqueKeysWithValues: wires.entering.enumerated().map { ($1, members.count + $0) })
        let lower = Dictionary(
            uniqueKeysWithValues: wires.leaving.enumerated().map { ($1, members.count + wires.entering.count + $0) })
        var ends: [[End]] = []
        var nets: [GraphLevel.Net] = []
        for wire in wires.wires {
            guard let source = wire.source == .port ? upper[wire.net] : vertexOf[wire.source] else { continue }
            var net = GraphLevel.Net(
                value: wire.net, source: source, targets: [],
                sourceOffset: offset(wire.source, wire.net, isLower: true), targetOffsets: [])
            var found: [End] = []
            for target in wire.targets {
                guard let vertex = target == .port ? lower[wire.net] : vertexOf[target] else { continue }
                net.targets.append(vertex)
                net.targetOffsets.append(offset(target, wire.net, isLower: false))
                found.append(target)
            }
            nets.append(net)
            ends.append([wire.source] + found)
        }
        let level = GraphLevel(
            widths: members.map { size($0).width }, upperPorts: wires.entering.count, lowerPorts: wires.leaving.count,
            nets: nets)
        adopt(level, index, ends, wires)
    }

    private func size(_ member: GraphGroups.Member) -> Size {
        switch member {
        case .item(let item): sizes[item]
        case .group(let group): groups[group].size
        }
    }

    /// Where in a group, laid out before, a value comes in or goes out.
    private func offset(_ end: End, _ net: Int, isLower: Bool) -> Double {
        guard case .group(let group) = end else { return 0 }
        return ports[Port(group: group, net: net, isLower: isLower)] ?? 0
    }

    private struct Port: Hashable {
        let group: Int
        let net: Int
        let isLower: Bool
    }
    /// From the middles of groups.
    private var ports: [Port: Double] = [:]

    private mutating func adopt(_ level: GraphLevel, _ index: Int, _ ends: [[End]], _ wires: GraphWires.Level) {
        let low = level.widths.indices.map { level.x[$0] - level.widths[$0] / 2 }.min() ?? 0
        let high = level.widths.indices.map { level.x[$0] + level.widths[$0] / 2 }.max() ?? 0
        let isRoot = groups[index].parent == nil
        let needed = isRoot ? 0 : GraphLayout.closedWidth(title: groups[index].title)
        let width = max(high - low + 2 * GraphLayout.padding, needed)
        // Middles are measured from the middle of the group.
        let middle = (low + high) / 2
        func x(_ vertex: Int) -> Double { level.x[vertex] - middle }
        var heights = [Double](repeating: 0, count: level.rows.count)
        for (vertex, member) in groups[index].members.enumerated() {
            let place = Place(row: level.row[vertex], x: x(vertex))
            heights[place.row] = max(heights[place.row], size(member).height)
            switch member {
            case .item(let item):
                places[item] = place
                groups[index].itemCount += 1
            case .group(let group):
                groups[group].place = place
                groups[index].itemCount += groups[group].itemCount
            }
        }
        var gaps = gaps(level, x)
        if gaps.isEmpty { gaps = [GraphLayout.padding, GraphLayout.padding] }
        let title = isRoot ? 0 : GraphLayout.titleHeight
        groups[index].gaps = gaps
        groups[index].size = Size(width: width, height: title + gaps.reduce(0, +) + heights.reduce(0, +))
        for (port, net) in wires.entering.enumerated() {
            ports[Port(group: index, net: net, isLower: false)] = x(level.memberCount + port)
        }
        for (port, net) in wires.leaving.enumerated() {
            ports[Port(group: index, net: net, isLower: true)] = x(level.memberCount + level.upperPortCount + port)
        }
        for (position, net) in level.nets.enumerated() {
            lines.append(
                Line(
                    group: index, value: net.value, source: ends[position][0], sourceRow: level.row[net.source],
                    sourceX: x(net.source) + net.sourceOffset, bends: level.bends[position].map(x),
                    targets: net.targets.indices.map {
                        Line.Target(
                            end: ends[position][$0 + 1], row: level.row[net.targets[$0]],
                            x: x(net.targets[$0]) + net.targetOffsets[$0])
                    }))
        }
    }

    /// Rows with long lines between them stand further apart, so that the lines stay legible.
    private func gaps(_ level: GraphLevel, _ x: (Int) -> Double) -> [Double] {
        guard !level.rows.isEmpty else { return [] }
        var widest = [Double](repeating: 0, count: level.rows.count)
        for segment in level.segments {
            let reach = abs(x(segment.upper) + segment.upperOffset - x(segment.lower) - segment.lowerOffset)
            widest[level.row[segment.lower]] = max(widest[level.row[segment.lower]], reach)
        }
        var gaps = widest.map { GraphLayout.rowGap + min(70, $0 * 0.06) }
        gaps[0] = level.upperPortCount > 0 ? 0 : GraphLayout.padding
        if level.upperPortCount > 0, gaps.count > 1 { gaps[1] = max(12, gaps[1] - 18) }
        if level.lowerPortCount > 0, gaps.count > 1 { gaps[gaps.count - 1] = max(14, gaps[gaps.count - 1] - 16) }
        return gaps + [level.lowerPortCount > 0 ? 0 : GraphLayout.padding]
    }
}
