import GraphIR
import Sardonyx

/// A model in a page of text.
enum InspectText {
    /// Columns of a line.
    static var width: Int { 80 }

    static func overview(_ report: ModelReport, title: String, after pass: String?) -> String {
        var lines = [Console.styled(title, .bold)]
        let opsets = report.opsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        lines += wrapped("IR \(report.irVersion), opsets \(opsets)", indent: 0)
        if !report.producer.isEmpty { lines += wrapped("Made by \(report.producer)", indent: 0) }
        if let pass { lines.append("Graph after \(pass)") }
        lines += ["", "Inputs"] + report.inputs.flatMap { wrapped($0, indent: 2) }
        lines += ["Outputs"] + report.outputs.flatMap { wrapped($0, indent: 2) }
        lines += ["", summary(report)]
        lines += ["", OperatorText.table(report)]
        if !report.functions.isEmpty {
            lines += ["", "Functions"] + wrapped(report.functions.joined(separator: ", "), indent: 2)
        }
        if !report.metadata.isEmpty {
            lines += ["", "Metadata"]
            for (key, value) in report.metadata.sorted(by: { $0.key < $1.key }) {
                let room = max(16, width - key.count - 4)
                let shown = value.count > room ? "\(value.count) characters" : value
                lines.append(Console.oneLine("  \(key): \(shown)"))
            }
        }
        return (lines + problems(report)).joined(separator: "\n")
    }

    static func problems(_ report: ModelReport) -> [String] {
        guard !report.problems.isEmpty else { return [] }
        return ["", Console.styled("It cannot run here:", .red)] + report.problems.flatMap { wrapped($0, indent: 2) }
    }

    private static func summary(_ report: ModelReport) -> String {
        let inner = report.bodyNodeCount
        let nodes = Units.counted(report.nodes.count, "node") + (inner > 0 ? " and \(inner) in bodies" : "")
        let cost =
            report.multiplyAccumulates.map { count in
                ",\n\(Units.count(count)) multiply-accumulates a run" + (inner > 0 ? ", those in bodies aside" : "")
            } ?? (report.hasOpenInputs ? ";\nthe cost is known when shapes are: --shape NAME=DIMS" : "")
        return "\(nodes), \(Units.count(report.parameterCount)) parameters "
            + "(\(Units.bytes(report.parameterByteCount)))" + cost
    }

    static func nodes(_ report: ModelReport) -> String {
        report.nodes.map { node in
            let name = Domains.qualified(node.operatorName, in: node.domain)
            let results = node.outputs.compactMap { $0 }.map { value in
                "\(value.name) \(value.type)" + (value.layout == "plain" ? "" : " \(value.layout)")
            }
            let arguments = node.inputs.compactMap { $0 }.map(\.name)
            return wrapped(
                "\(name)(\(arguments.joined(separator: ", "))) → \(results.joined(separator: ", "))", indent: 2, by: 4
            ).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// Breaks text at spaces so that lines fit; words that are longer stand alone.
    /// - Parameter by: how much deeper the lines after the first are.
    static func wrapped(_ text: String, indent: Int, by deeper: Int = 2) -> [String] {
        var lines: [String] = []
        var line = String(repeating: " ", count: indent)
        var isEmpty = true
        for word in Console.oneLine(text).split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(repeating: " ", count: indent + deeper)
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}
