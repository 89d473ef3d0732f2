import Sardonyx

/// The arena over the schedule as a chart, and what makes its peak.
enum MemoryText {
    private static let chartWidth = 64
    private static let chartHeight = 8
    private static let mostResidents = 12

    static func text(_ memory: MemoryReport) -> String {
        guard let peak = memory.peakStep else { return "Nothing is computed: there is no arena." }
        var lines = [
            "\(memory.steps.count) steps; arena \(Units.bytes(memory.arenaByteCount)), "
                + "with results \(Units.bytes(memory.peakByteCount))",
            "Most in use: \(Units.bytes(memory.peakLiveByteCount)) at step \(peak + 1)",
        ]
        lines += InspectText.wrapped(memory.steps[peak].node, indent: 2) + [""]
        let chart = Sparkline.chart(
            memory.steps.map { Double($0.liveByteCount) }, width: chartWidth, height: chartHeight)
        let top = Units.bytes(memory.peakLiveByteCount)
        for (index, row) in chart.enumerated() {
            let label = index == 0 ? top : index == chart.count - 1 ? "0" : ""
            lines.append(String(repeating: " ", count: max(0, 11 - label.count)) + label + " │" + row)
        }
        let columns = min(chartWidth, memory.steps.count)
        let place = columns > 0 ? peak * columns / memory.steps.count : 0
        lines.append(String(repeating: " ", count: 12) + "└" + String(repeating: "─", count: columns))
        lines.append(String(repeating: " ", count: 13 + place) + "↑ step \(peak + 1)")
        lines += ["", "In use at step \(peak + 1)"]
        var table = TextTable([("bytes", .right), ("share", .right), ("steps", .right), ("value", .left)])
        for resident in memory.residents.prefix(mostResidents) {
            let share = Double(resident.byteCount) / Double(max(1, memory.peakLiveByteCount)) * 100
            let others = resident.values.count > 1 ? " and \(resident.values.count - 1) that share it" : ""
            table.add(
                Units.bytes(resident.byteCount), "\(Int(share.rounded())) %",
                "\(resident.firstStep + 1)–\(resident.lastStep + 1)",
                resident.values.first.map { "\($0) \(resident.type ?? "")\(others)" } ?? "scratch memory of the step")
        }
        lines.append(table.render(width: InspectText.width))
        if memory.residents.count > mostResidents {
            lines.append("  … and \(memory.residents.count - mostResidents) more (--json has all)")
        }
        return lines.joined(separator: "\n")
    }
}
