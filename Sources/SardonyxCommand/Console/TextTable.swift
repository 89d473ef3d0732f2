/// Columns of text, aligned; numbers to the right.
struct TextTable {
    enum Alignment { case left, right }

    private var rows: [[String]]
    private let alignments: [Alignment]

    init(_ columns: [(title: String, alignment: Alignment)]) {
        rows = [columns.map(\.title)]
        alignments = columns.map(\.alignment)
    }

    mutating func add(_ cells: String...) { add(cells) }
    /// A cell is one line, whatever is in it.
    mutating func add(_ cells: [String]) { rows.append(cells.map { Console.oneLine($0) }) }

    /// - Parameter width: of a line; where that is not enough, cells of the last column lose their beginnings, but keep
    ///   16 characters.
    func render(indent: String = "  ", width: Int = .max) -> String {
        var rows = rows
        var widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let last = widths.count - 1
        let room = max(16, width - indent.count - widths.dropLast().reduce(0) { $0 + $1 + 2 })
        if last >= 0, widths[last] > room {
            widths[last] = room
            for row in rows.indices where rows[row][last].count > room {
                rows[row][last] = "…" + rows[row][last].suffix(room - 1)
            }
        }
        return rows.map { row in
            let cells = row.indices.map { column -> String in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return alignments[column] == .left ? row[column] + padding : padding + row[column]
            }
            var line = indent + cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
