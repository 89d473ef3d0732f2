/// A row of blocks of different heights.
enum Sparkline {
    private static let blocks = Array(" ▁▂▃▄▅▆▇█")

    /// Zero is a space; everything else at least the lowest block.
    static func text(_ values: [Double]) -> String {
        let most = values.max() ?? 0
        return String(
            values.map { value in
                guard most > 0, value > 0 else { return blocks[0] }
                return blocks[min(8, max(1, Int((value / most * 8).rounded())))]
            })
    }

    /// Several rows, the upper first; columns are the greatest of the values that fall into them.
    static func chart(_ values: [Double], width: Int, height: Int) -> [String] {
        guard !values.isEmpty, width > 0 else { return [] }
        let columns = min(width, values.count)
        let heights = (0..<columns).map { column in
            values[
                column * values.count
                    / columns..<max(column * values.count / columns + 1, (column + 1) * values.count / columns)
            ]
            .max() ?? 0
        }
        let most = heights.max() ?? 0
        guard most > 0 else { return [] }
        return stride(from: height - 1, through: 0, by: -1).map { row in
            String(
                heights.map { value in
                    let eighths = value / most * Double(height * 8) - Double(row * 8)
                    return blocks[min(8, max(row == 0 && value > 0 ? 1 : 0, Int(max(0, min(8, eighths)).rounded())))]
                })
        }
    }
}
