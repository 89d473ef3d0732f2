import Foundation
import Sardonyx

/// What differs between two models, as `diff` would have it: - before, + after.
enum DifferenceText {
    private static let mostListed = 40

    static func text(_ difference: ModelDifference, _ before: String, _ after: String) -> String {
        var lines = [Console.styled("--- \(before)", .red), Console.styled("+++ \(after)", .green)]
        func section(_ title: String, _ body: [String]) {
            if !body.isEmpty { lines += ["", Console.styled(title, .bold)] + body }
        }
        section("Header", difference.header.flatMap(change))
        section("Inputs and outputs", difference.interface.flatMap(change))
        section(
            "Changed nodes",
            limited(
                difference.changedNodes.map { node in
                    InspectText.wrapped(node.node, indent: 2) + node.changes.flatMap { change($0, indent: 4) }
                }))
        section(
            "Nodes of the first only",
            limited(difference.removedNodes.map { styled(InspectText.wrapped("- \($0)", indent: 2), .red) }))
        section(
            "Nodes of the second only",
            limited(difference.addedNodes.map { styled(InspectText.wrapped("+ \($0)", indent: 2), .green) }))
        if !difference.changedWeights.isEmpty { section("Changed weights", [weights(difference.changedWeights)]) }
        section(
            "Weights without data, which cannot be compared",
            limited(difference.unreadableWeights.map { InspectText.wrapped($0, indent: 2) }))
        lines += ["", summary(difference)]
        return lines.joined(separator: "\n")
    }

    private static func summary(_ difference: ModelDifference) -> String {
        let nodes =
            "\(difference.commonNodeCount) nodes in both (\(difference.changedNodes.count) changed), "
            + "\(difference.removedNodes.count) removed, \(difference.addedNodes.count) added;\n"
            + "\(difference.commonWeightCount) weights in both (\(difference.changedWeights.count) changed)"
        if difference.isEmpty { return "The models are alike: " + nodes }
        return difference.isSameGraph ? "The graphs are alike: " + nodes : nodes
    }

    private static func limited(_ groups: [[String]]) -> [String] {
        groups.prefix(mostListed).flatMap { $0 }
            + (groups.count > mostListed ? ["  … and \(groups.count - mostListed) more (--json has all)"] : [])
    }

    private static func change(_ change: ModelDifference.Change) -> [String] { self.change(change, indent: 2) }

    private static func change(_ change: ModelDifference.Change, indent: Int) -> [String] {
        let (before, after) = (change.before ?? "absent", change.after ?? "absent")
        let line = String(repeating: " ", count: indent) + "\(change.what): \(before) → \(after)"
        guard line.count > InspectText.width else { return [line] }
        return InspectText.wrapped("\(change.what):", indent: indent)
            + styled(InspectText.wrapped("- \(before)", indent: indent + 2), .red)
            + styled(InspectText.wrapped("+ \(after)", indent: indent + 2), .green)
    }

    private static func styled(_ lines: [String], _ style: Console.Style) -> [String] {
        lines.map { Console.styled($0, style) }
    }

    private static func weights(_ changes: [ModelDifference.WeightChange]) -> String {
        var table = TextTable([
            ("greatest |Δ|", .right), ("relative", .right), ("elements", .right), ("weight", .left),
        ])
        for entry in changes.prefix(mostListed) {
            let name = entry.before == entry.after ? entry.before : "\(entry.before) → \(entry.after)"
            let type =
                entry.typeBefore == entry.typeAfter ? entry.typeBefore : "\(entry.typeBefore) → \(entry.typeAfter)"
            table.add(
                WeightText.number(entry.greatestDifference), WeightText.number(entry.relativeDifference),
                entry.changedCount.map { Units.count($0) } ?? "", "\(name) \(type)")
        }
        let rest = changes.count - mostListed
        return table.render(width: InspectText.width) + (rest > 0 ? "\n  … and \(rest) more (--json has all)" : "")
    }
}
