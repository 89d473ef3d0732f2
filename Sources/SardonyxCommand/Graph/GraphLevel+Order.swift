// Order within rows: barycentres, down and up, as long as crossings get fewer.
extension GraphLevel {
    private static let mostSweeps = 16

    mutating func orderRows() {
        guard rows.count > 1 else { return }
        var position = positions(rows)
        sortRows(downward: true, &position)
        var best = rows
        var fewest = crossings(position)
        var fruitless = 0
        for sweep in 0..<Self.mostSweeps where fewest > 0 && fruitless < 4 {
            sortRows(downward: sweep % 2 == 1, &position)
            let count = crossings(position)
            if count < fewest {
                (fewest, best, fruitless) = (count, rows, 0)
            } else {
                fruitless += 1
            }
        }
        rows = best
    }

    func positions(_ rows: [[Int]]) -> [Double] {
        var position = [Double](repeating: 0, count: widths.count)
        for row in rows { for (index, vertex) in row.enumerated() { position[vertex] = Double(index) } }
        return position
    }

    /// Where a line meets a vertex, in units of its row's order.
    private func key(_ vertex: Int, _ offset: Double, _ position: [Double]) -> Double {
        position[vertex] + offset / max(widths[vertex], 1) * 0.9
    }

    private mutating func sortRows(downward: Bool, _ position: inout [Double]) {
        for index in downward ? Array(rows.indices.dropFirst()) : Array(rows.indices.dropLast().reversed()) {
            let row = rows[index]
            let keys = row.map { vertex in
                let lines = downward ? above[vertex] : below[vertex]
                guard !lines.isEmpty else { return position[vertex] }
                let sum = lines.reduce(0) { sum, line in
                    let segment = segments[line]
                    return sum
                        + (downward
                            ? key(segment.upper, segment.upperOffset, position)
                            : key(segment.lower, segment.lowerOffset, position))
                }
                return sum / Double(lines.count)
            }
            rows[index] = row.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { row[$0] }
            for (place, vertex) in rows[index].enumerated() { position[vertex] = Double(place) }
        }
    }

    /// Counted row by row with a tree of sums (Barth, Jünger, Mutzel 2002).
    private func crossings(_ position: [Double]) -> Int {
        var total = 0
        for row in rows.dropLast() {
            var ends: [(upper: Double, lower: Double)] = []
            for vertex in row {
                for line in below[vertex] {
                    let segment = segments[line]
                    ends.append(
                        (
                            key(segment.upper, segment.upperOffset, position),
                            key(segment.lower, segment.lowerOffset, position)
                        ))
                }
            }
            guard ends.count > 1 else { continue }
            ends.sort { ($0.upper, $0.lower) < ($1.upper, $1.lower) }
            let sorted = ends.indices.sorted { (ends[$0].lower, $0) < (ends[$1].lower, $1) }
            var rank = [Int](repeating: 0, count: ends.count)
            var last = 0
            for (place, index) in sorted.enumerated() {
                if place > 0, ends[index].lower > ends[sorted[place - 1]].lower { last = place }
                rank[index] = last + 1
            }
            var sums = [Int](repeating: 0, count: ends.count + 1)
            for (seen, entry) in rank.enumerated() {
                var before = 0
                var index = entry
                while index > 0 {
                    before += sums[index]
                    index -= index & -index
                }
                total += seen - before
                index = entry
                while index <= ends.count {
                    sums[index] += 1
                    index += index & -index
                }
            }
        }
        return total
    }
}
