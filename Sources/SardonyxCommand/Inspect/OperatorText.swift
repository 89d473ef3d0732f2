import Foundation
import GraphIR
import Sardonyx

/// Operators of a model as a table, those that cost most first.
enum OperatorText {
    private static let barWidth = 16

    /// - Parameter isFull: with parameters, bytes moved, and bars.
    static func table(_ report: ModelReport, isFull: Bool = false) -> String {
        let counts = report.operators.sorted {
            ($1.multiplyAccumulates ?? 0, $1.count, $0.name) < ($0.multiplyAccumulates ?? 0, $0.count, $1.name)
        }
        let total = counts.reduce(0.0) { $0 + Double($1.multiplyAccumulates ?? 0) }
        var columns: [(String, TextTable.Alignment)] = [
            ("operator", .left), ("nodes", .right), ("MACs", .right), ("share", .right),
        ]
        if isFull { columns += [("parameters", .right), ("moved", .right)] }
        var table = TextTable(columns.map { (title: $0.0, alignment: $0.1) } + [(title: "", alignment: .left)])
        for entry in counts {
            let share = total > 0 ? Double(entry.multiplyAccumulates ?? 0) / total : 0
            var cells = [
                Domains.qualified(entry.name, in: entry.domain), "\(entry.count)",
                entry.multiplyAccumulates.map { $0 == 0 ? "" : Units.count($0) } ?? "?",
                share > 0 ? String(format: "%.1f %%", share * 100) : "",
            ]
            if isFull {
                cells.append(entry.parameterCount == 0 ? "" : Units.count(entry.parameterCount))
                cells.append(entry.byteCount.map { Units.bytes($0) } ?? "?")
            }
            let bar = isFull ? String(repeating: "█", count: Int((share * Double(barWidth)).rounded())) : ""
            table.add(cells + [entry.isAvailable ? bar : "not available"])
        }
        return table.render()
    }
}
