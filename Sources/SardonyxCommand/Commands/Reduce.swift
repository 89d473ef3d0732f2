import ArgumentParser
import Execution
import Foundation
import GraphIR
import OnnxExport
import Passes
import Sardonyx

struct Reduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find the smallest model for which a command still exits with 0.",
        discussion: """
            Say with a command what you look for, for example a crash, a difference or a message: it must exit with \
            0 as long as a model shows it, and with anything else when not. /bin/sh runs it for many smaller models; \
            {} in it stands for the file, whose path is also in $MODEL. In the end no single node can be removed.

            What a removed node made becomes an input, a constant with what it was in a run on --input or random \
            numbers (which stays whatever the command feeds), or another value of its type. That run is made in this \
            process: where it would crash or hang, give --cut inputs. The smallest model so far is always in the \
            output, also after Ctrl-C (exit code 130).

            Examples:
              sardonyx reduce model.onnx --while 'sardonyx run {} 2>&1 | grep -q "cannot divide"' -o small.onnx
              sardonyx reduce model.onnx --while './differs.py "$MODEL"' --timeout 30 -o small.onnx
              sardonyx reduce model.onnx --while '! sardonyx run {}' --cut inputs -o small.onnx
            """)

    /// What may stand for values whose nodes are removed.
    enum Cut: String, CaseIterable, ExpressibleByArgument {
        case inputs, constants, both
    }

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(
        name: .customLong("while"),
        help: ArgumentHelp("The command; it exits with 0 for models to keep.", valueName: "command"))
    var command: String
    @Option(
        parsing: .unconditional, help: "Seconds for one run of the command, which counts as not 0 when it takes longer."
    )
    var timeout = 120.0
    @Option(parsing: .unconditional, help: "Stop after so many runs of the command.") var tries = 10_000
    @Option(help: "What stands for the values of removed nodes: inputs, constants, both.") var cut = Cut.both
    @Flag(help: "Go on when the shell cannot find or run the command (exit codes 126 and 127).") var keepGoing = false
    @Flag(help: "Show what the command prints, on standard error.") var verbose = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var inputs: InputFlags
    @OptionGroup var files: ModelOutputFlags

    private struct Report: Encodable {
        let nodesBefore: Int
        let nodesAfter: Int
        let nodes: [String]
        let tries: Int
        let timeouts: Int
        let seconds: Double
        let ending: Reducer.Ending
        let file: WrittenFile?
    }

    func validate() throws {
        guard timeout > 0, timeout < 1e9 else { throw ValidationError("--timeout takes seconds, more than 0.") }
        guard tries > 0 else { throw ValidationError("--tries takes a count, 1 or more.") }
    }

    func run() throws {
        let start = ContinuousClock.now
        var loaded = try files.load(model)
        try loaded.bind(inputs.shape.map { (Name($0.name), $0.dims) })
        if let problem = loaded.inferTypes() {
            Console.error("note: types are those that the model declares: \(problem)")
        }
        let interrupt = InterruptSignal()
        interrupt.catchSignals()
        let recorded = cut == .inputs ? [:] : try record(loaded, interrupt)
        let folder = try Self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var reducer = Reducer(
            loaded,
            trial: ShellTrial(
                command: command, timeout: .seconds(timeout), showsOutput: verbose, interrupt: interrupt),
            replacements: replacements, recorded: recorded, folder: folder, mostTries: tries, keepsGoing: keepGoing
        ) { (model) throws(SardonyxError) in try files.write(model) }
        let ending = try reducer.reduce()
        let report = Report(
            nodesBefore: loaded.graph.nodes.count, nodesAfter: reducer.best.graph.nodes.count,
            nodes: reducer.best.graph.nodes.map(\.label), tries: reducer.tries, timeouts: reducer.timeouts,
            seconds: Units.milliseconds(.now - start) / 1e3, ending: ending,
            file: reducer.written.map { WrittenFile(files.output, $0) })
        if json { try Console.printJSON(report) } else { printText(report) }
        if ending == .interrupted { throw ExitCode(130) }
    }

    private var replacements: [Replacement] {
        switch cut {
        case .inputs: [.input, .bypass]
        case .constants: [.constant, .bypass]
        case .both: [.input, .constant, .bypass]
        }
    }

    private func record(_ model: ModelGraph, _ interrupt: InterruptSignal) throws(SardonyxError) -> [Name: Tensor] {
        var fault: SardonyxError?
        var tensors: [Name: Tensor] = [:]
        do throws(SardonyxError) {
            let given = try inputs.named(for: try Model(content: model), memoryLimit: SystemLimits.defaultBudget)
            let limits = RunOptions(timeout: .seconds(timeout), isCancelled: { interrupt.isSet })
            (tensors, fault) = RunRecorder.record(model, inputs: given, interruption: limits.interruption)
        } catch {
            guard inputs.input.isEmpty else { throw error }
            fault = error
        }
        if let fault { Console.error("note: only values before this are known: \(fault)") }
        return tensors
    }

    private static func makeFolder() throws(SardonyxError) -> String {
        let base = FileManager.default.temporaryDirectory.path
        let marks = String(repeating: "X", count: 6)
        var template = Array("\(base)/sardonyx-reduce-\(marks)".utf8CString)
        guard
            let folder = template.withUnsafeMutableBufferPointer({ buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            })
        else {
            throw SardonyxError(.input, base, "no temporary folder", got: String(cString: strerror(errno)))
        }
        return folder
    }

    private func printText(_ report: Report) {
        let timeouts = report.timeouts == 0 ? "" : ", \(report.timeouts) of them out of time"
        Console.print(
            "\(report.nodesBefore) → \(report.nodesAfter) nodes in \(report.tries) tries\(timeouts),"
                + " \(String(format: "%.1f s", report.seconds))")
        for node in report.nodes.prefix(10) { Console.print("  \(node)") }
        if report.nodes.count > 10 { Console.print("  \(report.nodes.count - 10) more") }
        if report.ending != .smallest { Console.print("Ended before its time: \(report.ending.rawValue)") }
        if let file = report.file { Console.print("Wrote \(file.text)") }
    }
}
