import ArgumentParser
import Foundation
import GraphIR
import Sardonyx
import TensorCore

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in a model: inputs, outputs, operators, weights, cost, shapes, memory.",
        discussion: """
            Opens models that cannot run, too, and says what is missing. With --diff the exit code is 1 where the graphs
            differ, as with diff.

            Examples:
              sardonyx inspect yolact.onnx
              sardonyx inspect model.onnx --ops --shape image=1x3x640x640
              sardonyx inspect model.onnx --weights
              sardonyx inspect model.onnx --node /backbone/conv1/Conv
              sardonyx inspect model.onnx --memory
              sardonyx inspect model.onnx --diff other.onnx
              sardonyx inspect model.onnx --after propagate-layouts --nodes
              sardonyx inspect model.onnx --html graph.html
              sardonyx inspect model.onnx --svg graph.svg --dot graph.dot
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Flag(help: "Operators only, with parameters and bytes moved.") var ops = false
    @Flag(help: "List every node with its shapes.") var nodes = false
    @Flag(help: "Statistics of all weights, and those whose numbers are unusual.") var weights = false
    @Option(
        help: ArgumentHelp(
            "Everything about one node, by its name or that of a value it makes.", valueName: "name"))
    var node: String?
    @Flag(help: "Memory in use over one run, and what makes its peak.") var memory = false
    @Option(help: ArgumentHelp("What differs in another model.", valueName: "other.onnx")) var diff: String?
    @Option(help: ArgumentHelp("Shape of an input, as in image=1x3x550x550; may be repeated.", valueName: "name=dims"))
    var shape: [ShapeFlag] = []
    @Option(
        help: ArgumentHelp(
            "Show the graph after a pass: \(SessionOptions.passNames.joined(separator: ", ")).", valueName: "pass"))
    var after: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var pictures: GraphFlags
    @OptionGroup var modelFlags: ModelFlags

    /// What is asked for; one thing at a time.
    private enum View {
        case overview, operators, weights, memory
        case node(String)
        case difference(String)
    }

    func validate() throws {
        let asked = [ops, nodes, weights, memory, node != nil, diff != nil].filter { $0 }.count
        guard asked <= 1 else {
            throw ValidationError("--ops, --nodes, --weights, --node, --memory and --diff each stand alone.")
        }
        guard after == nil || !(weights || memory || node != nil || diff != nil) else {
            throw ValidationError("--after goes with the overview, --ops and --nodes.")
        }
    }

    private var view: View {
        if let node { return .node(node) }
        if let diff { return .difference(diff) }
        return ops ? .operators : weights ? .weights : memory ? .memory : .overview
    }

    func run() throws {
        let loaded = try modelFlags.loadToInspect(model)
        let shapes = Dictionary(shape.map { ($0.name, $0.dims) }) { $1 }
        var drawn: ModelReport?
        if pictures.isWanted {
            let picture = try loaded.picture(shapes: shapes, readsWeights: pictures.showsWeights)
            let report = try loaded.report(shapes: shapes)
            try pictures.write(picture, report, title: (model as NSString).lastPathComponent)
            drawn = after == nil ? report : nil
        }
        switch view {
        case .overview, .operators: try showReport(try drawn ?? loaded.report(shapes: shapes, after: after))
        case .weights: try showWeights(loaded)
        case .memory: try showMemory(loaded, shapes)
        case .node(let name): try show(name, of: loaded, shapes)
        case .difference(let other):
            try showDifference(loaded, try modelFlags.loadToInspect(other), other)
        }
    }

    private func showReport(_ report: ModelReport) throws {
        if json { return try Console.printJSON(report) }
        if ops {
            Console.print(OperatorText.table(report, isFull: true))
            return Console.print(InspectText.problems(report).joined(separator: "\n"))
        }
        Console.print(InspectText.overview(report, title: model, after: after))
        if nodes { Console.print("\nNodes\n" + InspectText.nodes(report)) }
    }

    private func showWeights(_ model: Model) throws {
        var line = ProgressLine(unit: "weights")
        let weights = model.weights { line.show($0, of: $1) }
        line.finish()
        if json { try Console.printJSON(weights) } else { Console.print(WeightText.table(weights)) }
    }

    private func showMemory(_ model: Model, _ shapes: [String: [Int]]) throws {
        let picture = try model.picture(shapes: shapes, readsWeights: false)
        guard let plan = picture.plan else {
            throw SardonyxError(
                .usage, "--memory", "the model has no plan", got: picture.problems.joined(separator: "; "))
        }
        if json { try Console.printJSON(plan.memory) } else { Console.print(MemoryText.text(plan.memory)) }
    }

    private func show(_ name: String, of model: Model, _ shapes: [String: [Int]]) throws {
        let picture = try model.picture(shapes: shapes, readsWeights: true)
        let places = picture.graph.places(of: name)
        guard !places.isEmpty else {
            let near = ClosestName.of(Name(name), among: picture.graph.nodeNames.lazy.map { Name($0) })
            throw SardonyxError(
                .usage, "--node", "no node or value has this name", got: "'\(name)'",
                hint: near.map { "the nearest is '\($0)'" } ?? "sardonyx inspect \(self.model) --nodes lists them")
        }
        let texts = places.map { NodeText($0, picture) }
        if json { try Console.printJSON(texts) } else { Console.print(texts.map(\.text).joined(separator: "\n\n")) }
    }

    private func showDifference(_ model: Model, _ other: Model, _ path: String) throws {
        var line = ProgressLine(unit: "weights")
        let difference = try model.difference(to: other) { line.show($0, of: $1) }
        line.finish()
        if json {
            try Console.printJSON(difference)
        } else {
            Console.print(DifferenceText.text(difference, self.model, path))
        }
        if !difference.isSameGraph { throw ExitCode(1) }
    }
}
