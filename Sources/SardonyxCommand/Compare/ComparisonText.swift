import Foundation
import Sardonyx

/// A comparison for a terminal.
struct ComparisonText {
    private let report: ComparisonReport
    private let all: Bool
    private let onlyDivergence: Bool
    private var comparison: Comparison { report.comparison }
    /// Rows that are shown unless all are asked for.
    private static let shown = 10

    init(_ report: ComparisonReport, all: Bool, onlyDivergence: Bool) {
        self.report = report
        self.all = all
        self.onlyDivergence = onlyDivergence
    }

    var text: String {
        var parts = [heading]
        if !onlyDivergence {
            let outputs = comparison.outputs
            if !outputs.isEmpty { parts.append("Outputs\n" + table(outputs) + "\n" + details(outputs)) }
            parts.append(nodes)
            if !comparison.unmatched.isEmpty { parts.append(unmatched) }
        }
        if let divergence = comparison.firstDivergence {
            parts.append(
                DivergenceText(divergence, nodeByNode: report.nodeByNode, resets: comparison.resetsInputs).text)
        } else if onlyDivergence {
            parts.append("No node differs beyond tolerance.")
        }
        if let found = comparison.notFinite { parts.append(NotFiniteText(found, model: nil).text) }
        for picture in report.pictures { parts.append(InstanceMatchingText(picture).text) }
        return parts.joined(separator: "\n\n")
    }

    private var heading: String {
        let beyond = comparison.beyond.count
        let verdict =
            report.isWithin
            ? "within tolerance"
            : beyond == 0
                ? "different objects in pictures" : "\(beyond) of \(comparison.rows.count) values beyond tolerance"
        let way = report.isOptimized ? "planned, with fused kernels" : "node by node"
        let mode = comparison.resetsInputs ? "each node on the reference's values" : "errors add up along the run"
        var lines = [
            "\(report.model) beside \(report.reference): \(verdict)",
            "\(comparison.rows.count) values compared (\(way); \(mode))",
        ]
        if comparison.mostKeptBytes > 0 {
            lines.append("at most \(Units.bytes(comparison.mostKeptBytes)) waited for their counterparts")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: Rows

    private var nodes: String {
        let rows = comparison.rows
        guard !all, rows.count > Self.shown else { return "Values, in the order of the run\n" + table(rows) }
        let worst = rows.indices.sorted { (Self.badness(rows[$1]), $0) < (Self.badness(rows[$0]), $1) }
        let chosen = worst.prefix(Self.shown).sorted().map { rows[$0] }
        return "The \(Self.shown) worst of \(rows.count) values, in the order of the run (--all shows every one)\n"
            + table(chosen)
    }

    private static func badness(_ row: Comparison.Row) -> Double { row.error?.excess ?? .infinity }

    private func table(_ rows: [Comparison.Row]) -> String {
        var table = TextTable([
            ("step", .right), ("operator", .left), ("max abs", .right), ("max rel", .right), ("mean", .right),
            ("dB", .right), ("× tol.", .right), ("value", .left),
        ])
        for row in rows {
            let value = row.referenceName.map { "\(row.value) = \($0)" } ?? row.value
            guard let error = row.error else {
                table.add("\(row.step)", row.operatorName, "", "", "", "", "beyond", "\(value): \(row.note ?? "")")
                continue
            }
            table.add(
                "\(row.step)", row.operatorName, NumberText.short(error.maxAbsolute),
                NumberText.short(error.maxRelative),
                NumberText.short(error.meanAbsolute), NumberText.decibels(error.decibels),
                NumberText.short(error.excess), value)
        }
        return table.render(width: Console.width)
    }

    private func details(_ rows: [Comparison.Row]) -> String {
        rows.map { row in
            guard let error = row.error else { return "  \(row.value): \(row.note ?? "")" }
            return "  \(row.value): " + NumberText.details(error)
        }.joined(separator: "\n")
    }

    // MARK: What has no counterpart

    private var unmatched: String {
        let groups = Dictionary(grouping: comparison.unmatched, by: \.reason)
        var lines = ["In the reference only"]
        for reason in Comparison.Unmatched.Reason.allCases {
            guard let values = groups[reason] else { continue }
            lines.append("  \(values.count) \(Self.text(reason))")
            for value in all ? values[...] : values.prefix(3) {
                lines.append("    \(value.value)" + (value.kernel.map { " in \($0)" } ?? ""))
            }
            if !all, values.count > 3 { lines.append("    … (--all)") }
        }
        return lines.joined(separator: "\n")
    }

    private static func text(_ reason: Comparison.Unmatched.Reason) -> String {
        switch reason {
        case .fused: "inside fused kernels (--optimize off shows them)"
        case .folded: "computed when the model was loaded"
        case .unused: "that nothing here reads"
        case .absent: "of names that the model does not have"
        }
    }
}
