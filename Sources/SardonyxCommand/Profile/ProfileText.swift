import Foundation
import Sardonyx

/// A profile for a terminal.
struct ProfileText {
    private let profile: Profile
    private let title: String
    private let width: Int

    /// - Parameter width: of a line; below 110 columns some of the figures are left out.
    init(_ profile: Profile, title: String, width: Int) {
        self.profile = profile
        self.title = title
        self.width = width
    }

    /// - Parameter top: nodes to list.
    func render(_ order: ProfileOrder, top: Int) -> String {
        let steps = order.sorted(profile.steps)
        var lines = summary() + ["", operatorTable()]
        let shown = steps.prefix(top)
        if !shown.isEmpty { lines += ["", nodeTable(Array(shown))] }
        let rest = steps.dropFirst(shown.count)
        if !rest.isEmpty {
            let time = rest.reduce(0) { $0 + $1.cost.milliseconds }
            lines.append(
                "  and \(rest.count) more nodes, \(Self.milliseconds(time)) ms (--all lists them, --help explains the columns)"
            )
        }
        return lines.joined(separator: "\n")
    }

    // MARK: Parts

    private func summary() -> [String] {
        let (machine, run) = (profile.machine, profile.run)
        let threads = machine.threads == 1 ? "1 thread" : "\(machine.threads) threads"
        var lines = [
            "\(title): \(Units.text(milliseconds: run.milliseconds)), \(threads), \(machine.isa), \(profile.rounds) rounds after \(profile.warmUp)",
            String(
                format: "  measured peaks: %.0f GMAC/s float32, %.1f GB/s reading", machine.fmaGMACsPerSecond,
                machine.readGBPerSecond),
        ]
        if run.multiplyAccumulates > 0 {
            lines.append(
                "  \(Units.count(run.multiplyAccumulates)) MACs: \(Self.rate(run.directGMACsPerSecond)) GMAC/s direct, \(Self.rate(run.executedGMACsPerSecond)) executed, \(Self.percent(run.fractionOfPeak))% of peak"
            )
        }
        let reorders = profile.reorders
        lines.append(
            "  reorders: \(reorders.stepCount), \(Self.milliseconds(reorders.cost.milliseconds)) ms (\(Self.share(reorders.cost))%); "
                + "outside of nodes: \(Self.milliseconds(profile.outsideMilliseconds)) ms")
        return lines
    }

    private func operatorTable() -> String {
        var table = TextTable([
            ("ms", .right), ("%", .right), ("GMAC/s", .right), ("exec", .right), ("peak", .right), ("GB/s", .right),
            ("bw", .right), ("nodes", .right), ("operator", .left),
        ])
        for total in profile.operators {
            table.add(rates(total.cost) + ["\(total.stepCount)", total.name])
            let parts = profile.algorithms.filter { $0.name.hasPrefix(total.name + " ") }
            for part in parts where parts.count > 1 {
                table.add(
                    rates(part.cost) + ["\(part.stepCount)", "  " + part.name.dropFirst(total.name.count + 1)])
            }
        }
        return table.render(width: width)
    }

    private var isWide: Bool { width >= 110 }

    private func nodeTable(_ steps: [Profile.Step]) -> String {
        var columns: [(String, TextTable.Alignment)] = [
            ("ms", .right), ("%", .right), ("GMAC/s", .right), ("exec", .right), ("peak", .right),
        ]
        if isWide { columns += [("GB/s", .right), ("bw", .right), ("thr", .right)] }
        columns += [("imb", .right), ("operator", .left)]
        if isWide { columns += [("layout", .left), ("output", .left)] }
        columns.append(("node", .left))
        var table = TextTable(columns)
        for step in steps {
            var cells = Array(rates(step.cost).prefix(isWide ? 7 : 5))
            if isWide { cells.append("\(step.threads)") }
            cells.append(step.imbalance.map { String(format: "%.2f", $0) } ?? "")
            cells.append(step.method)
            if isWide { cells += [Self.layouts(step), Self.shape(step)] }
            cells.append(step.shortTitle)
            table.add(cells)
        }
        return table.render(width: width)
    }

    private func rates(_ cost: Profile.Cost) -> [String] {
        [
            Self.milliseconds(cost.milliseconds), Self.share(cost), Self.rate(cost.directGMACsPerSecond),
            Self.rate(cost.executedGMACsPerSecond), Self.percent(cost.fractionOfPeak), Self.rate(cost.gbPerSecond),
            Self.percent(cost.fractionOfBandwidth),
        ]
    }

    // MARK: Cells

    static func milliseconds(_ value: Double) -> String {
        String(format: value < 10 ? "%.3f" : value < 100 ? "%.2f" : "%.1f", value)
    }

    static func share(_ cost: Profile.Cost) -> String { String(format: "%.1f", cost.share * 100) }

    static func rate(_ value: Double?) -> String {
        value.map { String(format: $0 < 99.95 ? "%.1f" : "%.0f", $0) } ?? ""
    }

    static func percent(_ value: Double?) -> String { value.map { String(format: "%.0f", $0 * 100) } ?? "" }

    static func layouts(_ step: Profile.Step) -> String {
        func letter(_ value: ModelReport.ValueReport?) -> String { value?.layout == "plain" ? "P" : "B" }
        guard let input = step.inputs.first ?? nil, let output = step.outputs.first ?? nil else { return "" }
        return letter(input) == letter(output) ? letter(input) : "\(letter(input))→\(letter(output))"
    }

    /// `1×64×138×138`, with the type in front when it is not float32.
    static func shape(_ step: Profile.Step) -> String {
        guard let type = step.outputs.first??.type else { return "" }
        let dims = type.drop { $0 != "[" }.filter { $0 != "[" && $0 != "]" && $0 != " " }.replacing(",", with: "×")
        let dtype = type.prefix { $0 != "[" }
        return dtype == "float32" ? String(dims) : "\(dtype) \(dims)"
    }
}

extension Profile.Step {
    /// Its name, or that of its first output where the model gives none.
    var title: String { name.isEmpty ? outputs.first??.name ?? "" : name }

    /// The name without what exporters repeat, the operator and enclosing scopes:
    /// `/layer1/layer1.0/conv1/Conv` → `layer1.0/conv1`.
    var shortTitle: String {
        var parts = title.split(separator: "/")
        if parts.count > 1, let last = parts.last, last.hasPrefix(operatorName) { parts.removeLast() }
        let kept = parts.indices.filter { index in
            index + 1 == parts.count || !parts[index + 1].hasPrefix(parts[index] + ".")
        }
        return kept.map { String(parts[$0]) }.joined(separator: "/")
    }
}
