// Coordinates: vertices in vertical blocks, four times, and of the four the mean of the middle two (Brandes, Köpf 2001).
extension GraphLevel {
    private static let memberGap = 22.0
    private static let bendGap = 10.0
    /// How far the middles of a block may lie apart, so that lines into groups are straight.
    fileprivate static let mostShift = 140.0

    mutating func placeRows() {
        guard !rows.isEmpty else { return }
        let conflicts = conflicts()
        var candidates: [[Double]] = []
        for isDownward in [true, false] {
            for isLeftward in [true, false] {
                candidates.append(
                    Blocks(level: self, isDownward: isDownward, isLeftward: isLeftward, conflicts: conflicts)
                        .coordinates())
            }
        }
        let ranges = candidates.map { xs in
            xs.indices.reduce((low: Double.infinity, high: -Double.infinity)) {
                (min($0.low, xs[$1] - widths[$1] / 2), max($0.high, xs[$1] + widths[$1] / 2))
            }
        }
        let narrowest = ranges.indices.min { ranges[$0].high - ranges[$0].low < ranges[$1].high - ranges[$1].low } ?? 0
        let shifts = candidates.indices.map { index in
            index % 2 == 0
                ? ranges[narrowest].low - ranges[index].low : ranges[narrowest].high - ranges[index].high
        }
        x = widths.indices.map { vertex in
            let sorted = candidates.indices.map { candidates[$0][vertex] + shifts[$0] }.sorted()
            return (sorted[1] + sorted[2]) / 2
        }
    }

    func separation(_ left: Int, _ right: Int) -> Double {
        (widths[left] + widths[right]) / 2 + (isBend(left) || isBend(right) ? Self.bendGap : Self.memberGap)
    }

    /// Segments that cross one between two bends: those between bends stay straight.
    private func conflicts() -> Set<Int> {
        var found = Set<Int>()
        var position = [Int](repeating: 0, count: widths.count)
        for row in rows { for (index, vertex) in row.enumerated() { position[vertex] = index } }
        for (upper, lower) in zip(rows, rows.dropFirst()) {
            var left = 0
            var scanned = 0
            for (index, vertex) in lower.enumerated() {
                let inner =
                    isBend(vertex)
                    ? above[vertex].first.map { segments[$0].upper }.flatMap { isBend($0) ? $0 : nil } : nil
                guard inner != nil || index == lower.count - 1 else { continue }
                let right = inner.map { position[$0] } ?? upper.count
                for other in lower[scanned...index] {
                    for line in above[other] {
                        let source = segments[line].upper
                        let isCrossing = position[source] < left || position[source] > right
                        if isCrossing, !(isBend(source) && isBend(other)) { found.insert(line) }
                    }
                }
                scanned = index + 1
                left = right
            }
        }
        return found
    }
}

/// One of the four assignments: vertices aligned with a median neighbour form blocks, which are packed to one side.
private struct Blocks {
    private let level: GraphLevel
    private let isDownward: Bool
    private let isLeftward: Bool
    private let conflicts: Set<Int>
    /// In the order of the walk.
    private let rows: [[Int]]

    init(level: GraphLevel, isDownward: Bool, isLeftward: Bool, conflicts: Set<Int>) {
        self.level = level
        self.isDownward = isDownward
        self.isLeftward = isLeftward
        self.conflicts = conflicts
        let ordered = isDownward ? level.rows : level.rows.reversed()
        rows = isLeftward ? ordered : ordered.map { $0.reversed() }
    }

    func coordinates() -> [Double] {
        let (root, shift) = aligned()
        let xs = packed(root, shift)
        let sign = isLeftward ? 1.0 : -1.0
        return root.indices.map { sign * (xs[root[$0]] + shift[$0]) }
    }

    /// The block of each vertex, by its first vertex, and the vertex's place beside that.
    private func aligned() -> (root: [Int], shift: [Double]) {
        let count = level.widths.count
        var position = [Int](repeating: 0, count: count)
        for row in rows { for (index, vertex) in row.enumerated() { position[vertex] = index } }
        var root = Array(0..<count)
        var hasFollower = [Bool](repeating: false, count: count)
        var shift = [Double](repeating: 0, count: count)
        let sign = isLeftward ? 1.0 : -1.0
        for row in rows {
            var last = -1
            for vertex in row {
                let lines = isDownward ? level.above[vertex] : level.below[vertex]
                guard !lines.isEmpty else { continue }
                func other(_ line: Int) -> Int { isDownward ? level.segments[line].upper : level.segments[line].lower }
                let sorted = lines.sorted { (position[other($0)], $0) < (position[other($1)], $1) }
                for middle in Set([(sorted.count - 1) / 2, sorted.count / 2]).sorted() where root[vertex] == vertex {
                    let line = sorted[middle]
                    let neighbour = other(line)
                    guard last < position[neighbour], !hasFollower[neighbour], !conflicts.contains(line) else {
                        continue
                    }
                    let segment = level.segments[line]
                    let (own, far) =
                        isDownward
                        ? (segment.lowerOffset, segment.upperOffset) : (segment.upperOffset, segment.lowerOffset)
                    hasFollower[neighbour] = true
                    root[vertex] = root[neighbour]
                    let moved = shift[neighbour] + sign * (far - own)
                    // Straight lines through many wide groups would make stairs of them.
                    shift[vertex] = abs(moved) <= GraphLevel.mostShift ? moved : shift[neighbour]
                    last = position[neighbour]
                }
            }
        }
        return (root, shift)
    }

    private func packed(_ root: [Int], _ shift: [Double]) -> [Double] {
        var targets = [[Int]](repeating: [], count: root.count)
        var rooms: [[Double]] = [[Double]](repeating: [], count: root.count)
        for row in rows {
            for (left, right) in zip(row, row.dropFirst()) {
                let room = level.separation(left, right) + shift[left] - shift[right]
                targets[root[left]].append(root[right])
                rooms[root[left]].append(room)
            }
        }
        let order = Acyclic.order(targets)
        var xs = [Double](repeating: -.infinity, count: root.count)
        for block in order {
            if xs[block] == -.infinity { xs[block] = 0 }
            for (target, room) in zip(targets[block], rooms[block]) { xs[target] = max(xs[target], xs[block] + room) }
        }
        // Blocks with room to their right move there, next to what they stand beside.
        for block in order.reversed() where root[block] == block {
            var limit = Double.infinity
            for (target, room) in zip(targets[block], rooms[block]) { limit = min(limit, xs[target] - room) }
            if limit.isFinite { xs[block] = max(xs[block], limit) }
        }
        return xs
    }
}
