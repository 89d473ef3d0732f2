import ArgumentParser
import Foundation
import GraphIR
import Operators
import Passes
import Sardonyx

struct Optimize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model folded and simplified, as standard ONNX.",
        discussion: """
            Runs the passes whose results the standard has operators for; what Sardonyx fuses beyond that when it \
            runs a model is not written. Bodies of If, Loop and Scan are rewritten like the graph; types that are \
            inferred are declared in the graph alone. With --passes none the model is only read and written. A result \
            of constants that would make the file larger than --largest-fold is not computed, and said. Calls of \
            functions are inlined.

            Passes:
            \(StandardRewriting.passes.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

            Examples:
              sardonyx optimize model.onnx -o small.onnx --check
              sardonyx optimize open.onnx -o small.onnx --check --check-shape image=1x3x320x416
              sardonyx optimize model.onnx -o fixed.onnx --shape image=1x3x640x640
              sardonyx optimize model.onnx -o copy.onnx --passes none --opset 21
              sardonyx optimize model.onnx -o small.onnx --skip fuse-conv-batchnorm
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(help: ArgumentHelp("Run only this pass; may be repeated. 'none' runs none.", valueName: "pass"))
    var passes: [String] = []
    @Option(help: ArgumentHelp("Leave out a pass; may be repeated.", valueName: "pass")) var skip: [String] = []
    @Option(
        help: ArgumentHelp(
            "Fix the shape of an input in the model, as in image=1x3x550x550; may be repeated.",
            valueName: "name=dims"))
    var shape: [ShapeFlag] = []
    @Option(
        help: ArgumentHelp(
            "Leave constant results that take so much more than what they are made of: 64K, 4MiB.", valueName: "bytes"))
    var largestFold = "1MiB"
    @Option(
        help: ArgumentHelp(
            "Write another version of ai.onnx, if every operator of the model is the same in both.",
            valueName: "version"))
    var opset: Int?
    @Flag(help: "Run both models on random inputs; exit code 1 if an output differs by more than 1e-4 of its greatest.")
    var check = false
    @Option(
        help: ArgumentHelp(
            "Shape of an input that the model leaves open, for --check alone; may be repeated.", valueName: "name=dims")
    )
    var checkShape: [ShapeFlag] = []
    @Option(parsing: .unconditional, help: "Seed of the inputs of --check.") var seed: UInt64 = 0
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var timeLimit: TimeoutFlag
    @OptionGroup var files: ModelOutputFlags

    func validate() throws {
        let known = StandardRewriting.passes.map(\.name)
        for name in passes.filter({ $0 != "none" }) + skip where !known.contains(name) {
            throw ValidationError("no pass '\(name)': allowed are \(known.joined(separator: ", "))")
        }
        guard check || checkShape.isEmpty else { throw ValidationError("--check-shape goes with --check") }
        if passes.contains("none"), passes.count > 1 { throw ValidationError("--passes none takes no other pass") }
    }

    func run() throws {
        let deadline = timeLimit.deadline
        guard let growth = Units.byteCount(largestFold) ?? (largestFold == "0" ? 0 : nil) else {
            throw SardonyxError(
                .usage, "--largest-fold", "not a size", got: "'\(largestFold)'",
                allowed: "a number with a unit, as in 4MiB")
        }
        let original = try files.load(model)
        var rewritten = original
        try rewritten.bind(shape.map { (Name($0.name), $0.dims) })
        var unfolded: [StandardRewriting.Unfolded] = []
        let disabled = disabledPasses
        if disabled.count < StandardRewriting.passes.count {
            let rewriting = StandardRewriting(disabled: disabled, largestGrowth: growth, evaluator: Evaluator())
            unfolded = try rewriting.run(on: &rewritten, interruption: deadline.limits.interruption)
        } else if let problem = rewritten.inferTypes(interruption: deadline.limits.interruption) {
            Console.error("note: types are those that the model declares: \(problem)")
        }
        if let opset { try OpsetConversion.convert(&rewritten, to: opset) }
        let file = WrittenFile(files.output, try files.write(rewritten))
        let differences =
            check
            ? try RewrittenCheck(seed: seed, shapes: shape + checkShape).differences(original, rewritten, deadline)
            : nil
        let report = OptimizeReport(
            before: GraphSize(original), after: GraphSize(rewritten),
            unfolded: unfolded.map { "\($0.node): \($0.type)" },
            differences: differences, file: file)
        if json { try Console.printJSON(report) } else { Console.print(report.text) }
        if differences?.contains(where: \.isTooLarge) ?? false { throw ExitCode(1) }
    }

    private var disabledPasses: Set<String> {
        let all = Set(StandardRewriting.passes.map(\.name))
        return (passes.isEmpty ? [] : all.subtracting(passes)).union(skip)
    }
}

/// Nodes by operator and bytes of constants, bodies of If, Loop and Scan included.
struct GraphSize: Encodable {
    private(set) var nodes = 0
    private(set) var operators: [String: Int] = [:]
    private(set) var constantBytes = 0

    init(_ model: ModelGraph) { add(model.graph) }

    private mutating func add(_ graph: Graph) {
        let producers = graph.producers()
        for (index, value) in graph.values.enumerated() where producers[index] == nil {
            if let constant = value.constant { add(constant) }
        }
        nodes += graph.nodes.count
        for node in graph.nodes {
            operators[Domains.qualified(node.opType, in: node.domain), default: 0] += 1
            if case .tensor(let constant)? = node.attributes["value"] { add(constant) }
            for subgraph in node.subgraphs { add(subgraph) }
        }
    }

    private mutating func add(_ constant: Constant) {
        let bytes = CheckedSize.product(constant.shape.elementCount, constant.dtype.byteSize) ?? .max
        constantBytes = CheckedSize.sum(constantBytes, bytes) ?? .max
    }
}

private struct OptimizeReport: Encodable {
    let before: GraphSize
    let after: GraphSize
    let unfolded: [String]
    let differences: [OutputDifference]?
    let file: WrittenFile

    var text: String {
        var table = TextTable([("operator", .left), ("before", .right), ("after", .right), ("", .right)])
        let names = Set(before.operators.keys).union(after.operators.keys)
        func count(_ size: GraphSize, _ name: String) -> Int { size.operators[name] ?? 0 }
        for name in names.sorted(by: { (-count(before, $0), $0) < (-count(before, $1), $1) }) {
            let (old, new) = (count(before, name), count(after, name))
            table.add(name, "\(old)", "\(new)", old == new ? "" : "\(new > old ? "+" : "")\(new - old)")
        }
        table.add("nodes", "\(before.nodes)", "\(after.nodes)", "")
        table.add("constants", Units.bytes(before.constantBytes), Units.bytes(after.constantBytes), "")
        var lines = [table.render(indent: "")]
        if !unfolded.isEmpty {
            lines.append("Constant, but left (see --largest-fold):")
            lines += unfolded.prefix(10).map { "  \($0)" }
            if unfolded.count > 10 { lines.append("  \(unfolded.count - 10) more") }
        }
        for difference in differences ?? [] { lines.append(difference.text) }
        lines.append("Wrote \(file.text)")
        return lines.joined(separator: "\n")
    }
}
