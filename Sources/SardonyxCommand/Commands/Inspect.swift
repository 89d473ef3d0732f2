import ArgumentParser
import Foundation
import Sardonyx

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in a model: inputs, outputs, operators, parameters, cost, shapes.",
        discussion: """
            Opens models that cannot run, too, and says what is missing.

            Examples:
              sardonyx inspect yolact.onnx
              sardonyx inspect model.onnx --nodes --shape image=1x3x640x640
              sardonyx inspect model.onnx --after propagate-layouts --nodes
              sardonyx inspect model.onnx --html graph.html
              sardonyx inspect model.onnx --svg graph.svg --dot graph.dot
            """)

    @Argument(help: "The ONNX model.") var model: String
    @Flag(help: "List every node with its shapes.") var nodes = false
    @Option(help: ArgumentHelp("Shape of an input, as in image=1x3x550x550; may be repeated.", valueName: "name=dims"))
    var shape: [ShapeFlag] = []
    @Option(
        help: ArgumentHelp(
            "Show the graph after a pass: \(SessionOptions.passNames.joined(separator: ", ")).", valueName: "pass"))
    var after: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var pictures: GraphFlags
    @OptionGroup var modelFlags: ModelFlags

    func run() throws {
        let loaded = try modelFlags.load(model)
        let shapes = Dictionary(shape.map { ($0.name, $0.dims) }) { $1 }
        let report = try loaded.report(shapes: shapes, after: after)
        if json {
            try Console.printJSON(report)
        } else {
            printText(report)
        }
        if pictures.isWanted {
            let picture = try loaded.picture(shapes: shapes, readsWeights: pictures.showsWeights)
            try pictures.write(picture, try loaded.report(shapes: shapes), title: (model as NSString).lastPathComponent)
        }
    }

    private func printText(_ report: ModelReport) {
        print("\(model)")
        let opsets = report.opsets.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print(
            "IR \(report.irVersion), opsets \(opsets)" + (report.producer.isEmpty ? "" : ", made by \(report.producer)")
        )
        if let after { print("Graph after \(after)") }
        print("\nInputs")
        for input in report.inputs { print("  \(input)") }
        print("Outputs")
        for output in report.outputs { print("  \(output)") }
        print(
            "\n\(report.nodes.count) nodes, \(Units.count(report.parameterCount)) parameters (\(Units.bytes(report.parameterByteCount))), "
                + (report.multiplyAccumulates.map { "\(Units.count($0)) multiply-accumulates" }
                    ?? "cost unknown until shapes are given (--shape)"))
        print(operatorTable(report))
        if !report.functions.isEmpty { print("\nFunctions  \(report.functions.joined(separator: ", "))") }
        if !report.metadata.isEmpty {
            print("\nMetadata")
            for (key, value) in report.metadata.sorted(by: { $0.key < $1.key }) {
                print("  \(key): \(value.count > 60 ? "\(value.count) characters" : value)")
            }
        }
        if nodes { print("\nNodes\n" + nodeLines(report).joined(separator: "\n")) }
        if !report.problems.isEmpty {
            print("\nIt cannot run here:")
            for problem in report.problems { print("  \(problem)") }
        }
    }

    private func operatorTable(_ report: ModelReport) -> String {
        var table = TextTable([("operator", .left), ("nodes", .right), ("MACs", .right), ("", .left)])
        for entry in report.operators {
            let name = entry.domain.isEmpty ? entry.name : "\(entry.domain).\(entry.name)"
            let cost = entry.multiplyAccumulates.map { $0 == 0 ? "" : Units.count($0) } ?? "?"
            table.add(name, "\(entry.count)", cost, entry.isAvailable ? "" : "not available")
        }
        return table.render()
    }

    private func nodeLines(_ report: ModelReport) -> [String] {
        report.nodes.map { node in
            let name = node.domain.isEmpty ? node.operatorName : "\(node.domain).\(node.operatorName)"
            let results = node.outputs.compactMap { $0 }.map { value in
                "\(value.name) \(value.type)" + (value.layout == "plain" ? "" : " \(value.layout)")
            }
            let arguments = node.inputs.compactMap { $0 }.map(\.name)
            return "  \(name)(\(arguments.joined(separator: ", "))) → \(results.joined(separator: ", "))"
        }
    }
}
