/// One level of a drawing: the members of a group in rows, every arrow from a row to a lower one.
///
/// The method is the layered one (Sugiyama, Tagawa, Toda 1981): rows by longest paths, order in the rows by barycentres,
/// coordinates by Brandes and Köpf (2001). An arrow that passes rows has a bend in each; all arrows of one value share
/// their bends, as they carry the same tensor.
struct GraphLevel {
    /// One value on this level: who makes it and who reads it.
    struct Net {
        /// Of the whole drawing.
        let value: Int
        let source: Int
        var targets: [Int]
        /// Where arrows begin and end, from the middle of the member.
        let sourceOffset: Double
        var targetOffsets: [Double]
    }

    /// A line between vertices of adjacent rows; offsets are from their middles.
    struct Segment {
        let upper: Int
        let lower: Int
        let upperOffset: Double
        let lowerOffset: Double
    }

    /// By vertex: members, ports on the upper edge, ports on the lower edge, and then bends.
    private(set) var widths: [Double]
    let memberCount: Int
    let upperPortCount: Int
    let lowerPortCount: Int
    let nets: [Net]

    /// By vertex.
    private(set) var row: [Int] = []
    /// From left to right.
    var rows: [[Int]] = []
    /// Middles, by vertex.
    var x: [Double] = []
    /// By net: its bends, from the row below its source on.
    private(set) var bends: [[Int]] = []
    private(set) var segments: [Segment] = []
    /// Segments by their lower vertex, and by their upper one.
    private(set) var above: [[Int]] = []
    private(set) var below: [[Int]] = []

    /// With more bends than this, the longest arrows go without.
    private static let mostBends = 120_000
    static let portWidth = 8.0

    /// - Parameter widths: of the members.
    init(widths: [Double], upperPorts: Int, lowerPorts: Int, nets: [Net]) {
        memberCount = widths.count
        upperPortCount = upperPorts
        lowerPortCount = lowerPorts
        self.widths = widths + [Double](repeating: Self.portWidth, count: upperPorts + lowerPorts)
        self.nets = nets
        assignRows()
        addBends()
        orderRows()
        placeRows()
    }

    func isBend(_ vertex: Int) -> Bool { vertex >= memberCount + upperPortCount + lowerPortCount }

    // MARK: Rows

    private mutating func assignRows() {
        let count = widths.count
        var targets = [[Int]](repeating: [], count: count)
        var sources = [Int](repeating: 0, count: count)
        for net in nets {
            targets[net.source] += net.targets
            for target in net.targets { sources[target] += 1 }
        }
        let lowerPorts = memberCount + upperPortCount
        row = [Int](repeating: 0, count: count)
        for member in 0..<memberCount { row[member] = upperPortCount > 0 ? 1 : 0 }
        let order = Acyclic.order(targets)
        for vertex in order { for target in targets[vertex] { row[target] = max(row[target], row[vertex] + 1) } }
        // What feeds more than it is fed goes down to its readers: short arrows for what would else wait at the top.
        for vertex in order.reversed() where vertex < memberCount && sources[vertex] < targets[vertex].count {
            let readers = targets[vertex].filter { $0 < lowerPorts }.map { row[$0] }
            if let nearest = readers.min(), nearest - 1 > row[vertex] { row[vertex] = nearest - 1 }
        }
        if lowerPortCount > 0 {
            let last = (row[..<lowerPorts].max() ?? 0) + 1
            for port in lowerPorts..<count { row[port] = last }
        }
        rows = [[Int]](repeating: [], count: (row.max() ?? -1) + 1)
        for vertex in order { rows[row[vertex]].append(vertex) }
    }

    private mutating func addBends() {
        bends = [[Int]](repeating: [], count: nets.count)
        let lengths = nets.map { net in (net.targets.map { row[$0] }.max() ?? 0) - row[net.source] - 1 }
        var room = Self.mostBends
        for index in nets.indices.sorted(by: { (lengths[$0], $0) < (lengths[$1], $1) }) {
            let net = nets[index]
            guard lengths[index] <= room else { continue }
            room -= max(0, lengths[index])
            var trunk: [Int] = []
            for level in 0..<max(0, lengths[index]) {
                trunk.append(widths.count)
                widths.append(Self.portWidth)
                row.append(row[net.source] + 1 + level)
                rows[row[net.source] + 1 + level].append(trunk[level])
            }
            bends[index] = trunk
            var upper = net.source
            for (level, bend) in trunk.enumerated() {
                segments.append(
                    Segment(
                        upper: upper, lower: bend, upperOffset: level == 0 ? net.sourceOffset : 0, lowerOffset: 0))
                upper = bend
            }
            for (target, offset) in zip(net.targets, net.targetOffsets) {
                let depth = row[target] - row[net.source] - 1
                guard depth >= 0 else { continue }
                segments.append(
                    Segment(
                        upper: depth == 0 ? net.source : trunk[depth - 1], lower: target,
                        upperOffset: depth == 0 ? net.sourceOffset : 0, lowerOffset: offset))
            }
        }
        above = [[Int]](repeating: [], count: widths.count)
        below = above
        for (index, segment) in segments.enumerated() {
            above[segment.lower].append(index)
            below[segment.upper].append(index)
        }
    }
}
