import Foundation
import Sardonyx

/// Where differences begin.
struct DivergenceText {
    private let divergence: Divergence
    private let nodeByNode: Comparison?
    private let resets: Bool

    init(_ divergence: Divergence, nodeByNode: Comparison?, resets: Bool) {
        self.divergence = divergence
        self.nodeByNode = nodeByNode
        self.resets = resets
    }

    var text: String {
        var lines = ["Differences begin at \(divergence.label) (step \(divergence.step))"]
        if !divergence.origins.isEmpty { lines.append("  computes \(divergence.origins.joined(separator: ", "))") }
        for row in divergence.outputs {
            lines.append("  makes \(row.value) \(row.type): " + (row.error.map(NumberText.details) ?? row.note ?? ""))
        }
        for input in divergence.inputs { lines.append("  reads \(input.value): \(text(input))") }
        if !divergence.suspects.isEmpty {
            lines.append(
                "  or at a node before it whose results cannot be compared: "
                    + divergence.suspects.joined(separator: ", "))
        }
        if let nodeByNode {
            if let begin = nodeByNode.firstDivergence {
                guard begin.label != divergence.label else { return others(lines) }
                lines.append("Node by node they begin at \(begin.label)")
                for row in begin.outputs {
                    lines.append("  makes \(row.value): " + (row.error.map(NumberText.details) ?? row.note ?? ""))
                }
                for input in begin.inputs { lines.append("  reads \(input.value): \(text(input))") }
            } else {
                lines.append("Node by node nothing differs: the fault is in the fused kernel or the passes")
            }
        }
        return others(lines)
    }

    private func others(_ lines: [String]) -> String {
        guard !divergence.others.isEmpty else { return lines.joined(separator: "\n") }
        let shown = divergence.others.prefix(5).joined(separator: ", ")
        let more = divergence.others.count > 5 ? ", …" : ""
        return (lines + ["Others begin at \(shown)\(more)"]).joined(separator: "\n")
    }

    private func text(_ input: Divergence.Input) -> String {
        switch input.kind {
        case .fed: "an input of the graph"
        case .unseen: "not comparable here"
        case .constant:
            input.error.map { $0.maxAbsolute == 0 ? "the same weights" : "other weights, " + NumberText.details($0) }
                ?? "weights"
        case .compared:
            (resets ? "the reference's value; made here with " : "within tolerance, ")
                + (input.error.map { "max abs \(NumberText.short($0.maxAbsolute))" } ?? "")
        }
    }
}
