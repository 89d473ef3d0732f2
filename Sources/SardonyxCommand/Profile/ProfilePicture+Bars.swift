import Foundation
import Sardonyx

extension ProfilePicture {
    /// A kind of step: an operator, and its algorithm where it has several.
    private struct Group {
        let name: String
        let kind: OperatorClass
        let steps: [Profile.Step]

        var milliseconds: Double { steps.reduce(0) { $0 + $1.cost.milliseconds } }
        var bound: Double { steps.reduce(0) { $0 + min($1.cost.milliseconds, $1.cost.boundMilliseconds) } }
        var share: Double { steps.reduce(0) { $0 + $1.cost.share } }
        var executed: Double { steps.reduce(0) { $0 + Double($1.cost.executedMultiplyAccumulates) } }
    }

    /// Bars by operator, the left half of the picture.
    /// - Returns: where the next part may begin.
    mutating func drawOperators(at top: Double) -> Double {
        let named = Dictionary(grouping: profile.steps, by: \.method)
        let groups = named.compactMap { name, steps in
            steps.first.map { Group(name: name, kind: OperatorClass($0), steps: steps) }
        }.sorted { ($1.milliseconds, $0.name) < ($0.milliseconds, $1.name) }
        var y = drawTitle("Operators", "Time of all nodes of a kind; filled is what the bound needs.", at: top)
        let longest = max(groups.first?.milliseconds ?? 0, 1e-9)
        for group in groups.prefix(12) {
            let x = Self.margin + 190
            let width = 205 * group.milliseconds / longest
            canvas.text(
                SVGCanvas.fitted("\(group.name) ×\(group.steps.count)", size: 12, width: 182) ?? "", x - 8, y + 14,
                size: 12, anchor: .end)
            drawBar(
                x, y + 2, width: max(width, 1), height: 16, bound: group.bound / max(group.milliseconds, 1e-9),
                group.kind,
                tip: "\(group.name): \(group.steps.count) nodes")
            var text = String(format: "%@ ms  %.1f %%", Self.short(group.milliseconds), group.share * 100)
            if group.executed > 0 {
                text += "  \(ProfileText.rate(group.executed / max(group.milliseconds, 1e-9) * 1e-6)) GMAC/s"
            }
            canvas.text(text, x + width + 7, y + 14, size: 11.5, fill: SVGCanvas.faint)
            y += 24
        }
        let rest = groups.dropFirst(12)
        if !rest.isEmpty {
            let time = rest.reduce(0) { $0 + $1.milliseconds }
            canvas.text(
                "and \(rest.count) more, \(Self.short(time)) ms", Self.margin + 190, y + 14, size: 11.5,
                fill: SVGCanvas.faint)
            y += 24
        }
        canvas.text(
            "Outside of nodes \(Self.short(profile.outsideMilliseconds)) ms; reorders: \(profile.reorders.stepCount), "
                + "\(Self.short(profile.reorders.cost.milliseconds)) ms",
            Self.margin + 190, y + 16, size: 11.5, fill: SVGCanvas.faint)
        return y + 22
    }

    /// The nodes that take longest beyond their bound.
    /// - Returns: where the picture may end.
    mutating func drawLosses(at top: Double) -> Double {
        var y = drawTitle(
            "Most to gain", "Nodes by the time they take beyond their bound (the pale part).", at: top)
        let steps = ProfileOrder.loss.sorted(profile.steps).prefix(12).filter {
            $0.cost.milliseconds > $0.cost.boundMilliseconds
        }
        let longest = max(steps.map(\.cost.milliseconds).max() ?? 0, 1e-9)
        let columns: [(String, Double)] = [
            ("lost", 640), ("ms", 700), ("of peak", 764), ("GB/s", 820), ("imbalance", 894),
        ]
        for column in columns {
            canvas.text(column.0, column.1, y + 4, size: 10.5, fill: SVGCanvas.faint, anchor: .end)
        }
        canvas.text("operator, output", 912, y + 4, size: 10.5, fill: SVGCanvas.faint)
        y += 12
        for step in steps {
            let cost = step.cost
            canvas.text(
                SVGCanvas.fitted(step.shortTitle, size: 12, width: 250) ?? "", Self.margin + 258, y + 14, size: 12,
                anchor: .end)
            drawBar(
                Self.margin + 266, y + 2, width: max(1, 270 * cost.milliseconds / longest), height: 16,
                bound: cost.boundFraction, OperatorClass(step), tip: tip(step))
            let cells = [
                Self.short(cost.milliseconds - cost.boundMilliseconds), Self.short(cost.milliseconds),
                cost.fractionOfPeak.map { ProfileText.percent($0) + " %" } ?? "", ProfileText.rate(cost.gbPerSecond),
                step.imbalance.map { String(format: "%.2f", $0) } ?? "",
            ]
            for (cell, column) in zip(cells, columns) {
                canvas.text(cell, column.1, y + 14, size: 11.5, anchor: .end)
            }
            let detail = "\(step.method)  \(ProfileText.shape(step))"
            canvas.text(
                SVGCanvas.fitted(detail, size: 11.5, width: 250) ?? "", 912, y + 14, size: 11.5, fill: SVGCanvas.faint)
            y += 24
        }
        return y
    }
}
