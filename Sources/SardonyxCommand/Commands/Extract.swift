import ArgumentParser
import GraphIR
import Passes
import Sardonyx

struct Extract: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the part of a model between tensors, or one node, as a model.",
        discussion: """
            The tensors of --from become inputs, with the types that are inferred, those of --to outputs. Without \
            --from, the part begins at the model's inputs. Weights that it reads come along; If, Loop and Scan stay \
            whole, and what their bodies take from outside counts as read. The model's metadata is left out: it \
            speaks of the whole.

            Examples:
              sardonyx extract yolact.onnx --to prototypes -o prototypes.onnx
              sardonyx extract yolact.onnx --from /backbone/layer3/out --to scores --to boxes -o heads.onnx
              sardonyx extract model.onnx --node /layer1/conv -o conv.onnx
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(help: ArgumentHelp("A tensor to begin at; may be repeated.", valueName: "tensor")) var from: [String] = []
    @Option(help: ArgumentHelp("A tensor to end with; may be repeated.", valueName: "tensor")) var to: [String] = []
    @Option(help: ArgumentHelp("Take this node alone.", valueName: "name")) var node: String?
    @Option(
        help: ArgumentHelp(
            "Fix the shape of an input, as in image=1x3x550x550; may be repeated.", valueName: "name=dims"))
    var shape: [ShapeFlag] = []
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var files: ModelOutputFlags

    private struct Report: Encodable {
        let nodes: Int
        let nodesOfModel: Int
        let inputs: [String]
        let outputs: [String]
        let unread: [String]
        let file: WrittenFile
    }

    func validate() throws {
        guard (node == nil) != to.isEmpty else {
            throw ValidationError("extract takes --to TENSOR, or --node NAME.")
        }
        guard node == nil || from.isEmpty else { throw ValidationError("--node takes no --from.") }
    }

    func run() throws {
        var loaded = try files.load(model)
        try loaded.bind(shape.map { (Name($0.name), $0.dims) })
        if let problem = loaded.inferTypes() {
            Console.error("note: types are those that the model declares: \(problem)")
        }
        let (part, unread) =
            if let node {
                (try loaded.extracted(node: Name(node)), [Name]())
            } else {
                try loaded.extracted(from: from.map { Name($0) }, to: to.map { Name($0) })
            }
        let report = Report(
            nodes: part.graph.nodes.count, nodesOfModel: loaded.graph.nodes.count,
            inputs: part.graph.inputs.map { Self.text(part.graph[$0]) },
            outputs: part.graph.outputs.map { Self.text(part.graph[$0]) }, unread: unread.map(\.string),
            file: WrittenFile(files.output, try files.write(part)))
        if json { try Console.printJSON(report) } else { printText(report) }
    }

    private static func text(_ value: Value) -> String {
        "\(value.name): \(value.type.map(\.description) ?? "?")"
    }

    private func printText(_ report: Report) {
        for name in report.unread { Console.error("note: --from '\(name)' is not needed and left out") }
        Console.print("\(report.nodes) of \(report.nodesOfModel) nodes")
        Console.print("Inputs")
        for input in report.inputs { Console.print("  \(input)") }
        Console.print("Outputs")
        for output in report.outputs { Console.print("  \(output)") }
        Console.print("Wrote \(report.file.text)")
    }
}
