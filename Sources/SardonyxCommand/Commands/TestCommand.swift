import ArgumentParser
import Foundation
import Sardonyx

/// `sardonyx test`.
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run models on recorded inputs and compare with recorded outputs.",
        discussion: """
            Takes folders in the layout of the ONNX backend tests: model.onnx, test_data_set_*/input_*.pb and
            output_*.pb, and, where the default tolerances (rtol 1e-3, atol 1e-7) do not hold, tolerance.json. All cases
            at or below a folder are run. A case passes when every engine asked for computes what is recorded.

            Exit code 1 when a case fails or needs what this build does not have.

            Examples:
              sardonyx test cases/node
              sardonyx test cases --filter test_attention --engine plan
              sardonyx test cases --jobs 8 --json results.json
            """)

    @Argument(help: "Folders with cases.") var directories: [String]
    @Option(help: "Only cases whose names contain this; may be repeated.") var filter: [String] = []
    @Option(
        help: ArgumentHelp(
            "What computes: plan (the optimised graph), nodes (each node by itself, in order); may be repeated.",
            valueName: "engine"))
    var engine: [ConformanceCase.Engine] = ConformanceCase.Engine.allCases
    @Option(name: .shortAndLong, help: "Cases at once (default: the CPUs this process may use).") var jobs: Int?
    @Option(name: .shortAndLong, help: "Threads of one case.") var threads = 1
    @Option(
        help: ArgumentHelp(
            "Write JSON to a file, or to standard output in place of the text with -.", valueName: "file"))
    var json: String?
    @Flag(help: "Name the cases that pass, too.") var all = false

    func validate() throws {
        for (name, value) in [("jobs", jobs ?? 1), ("threads", threads)] where !(1...1024).contains(value) {
            throw ValidationError("--\(name) \(value): allowed are 1 to 1024")
        }
    }

    func run() throws {
        var cases: [(root: String, item: ConformanceCase)] = []
        for directory in directories {
            let found = ConformanceCase.cases(below: directory)
            guard !found.isEmpty else {
                throw SardonyxError(
                    .input, directory, "holds no cases", got: "no model.onnx at or below it",
                    hint: "see sardonyx test --help for the layout")
            }
            cases += found.filter { item in filter.isEmpty || filter.contains { item.name.contains($0) } }.map {
                (directory, $0)
            }
        }
        guard !cases.isEmpty else {
            throw ValidationError("--filter \(filter.joined(separator: " ")): no case has such a name")
        }
        let results = outcomes(cases.map(\.item))
        let report = ConformanceReport(
            results: zip(cases, results).map { entry, outcomes in
                ConformanceReport.Result(entry.item, below: entry.root, outcomes)
            })
        if json == "-" {
            try Console.printJSON(report)
        } else {
            Console.print(report.text(all: all))
            if let json { try Console.json(report).write(toFile: json, atomically: true, encoding: .utf8) }
        }
        if report.passed < report.total { throw ExitCode(1) }
    }

    /// Of every case those of every engine, in order.
    private func outcomes(_ cases: [ConformanceCase]) -> [[ConformanceCase.Engine: ConformanceCase.Outcome]] {
        let state = TestQueue(total: cases.count)
        DispatchQueue.concurrentPerform(
            iterations: min(jobs ?? ProcessInfo.processInfo.activeProcessorCount, cases.count)
        ) {
            _ in
            while let index = state.next(cases.map(\.name)) {
                var outcomes: [ConformanceCase.Engine: ConformanceCase.Outcome] = [:]
                for engine in engine { outcomes[engine] = cases[index].run(engine, threads: threads) }
                state.finish(index, outcomes)
            }
        }
        return state.results()
    }
}

extension ConformanceCase.Engine: ExpressibleByArgument {}

/// Hands cases to workers and keeps what they found.
private final class TestQueue: @unchecked Sendable {
    private let lock = NSLock()
    private var started = 0
    private var found: [[ConformanceCase.Engine: ConformanceCase.Outcome]]
    private var progress: ProgressLine

    init(total: Int) {
        found = Array(repeating: [:], count: total)
        progress = ProgressLine(unit: "cases")
    }

    func next(_ names: [String]) -> Int? {
        lock.withLock {
            guard started < found.count else { return nil }
            progress.show(started, of: found.count, names[started])
            started += 1
            return started - 1
        }
    }

    func finish(_ index: Int, _ outcomes: [ConformanceCase.Engine: ConformanceCase.Outcome]) {
        lock.withLock { found[index] = outcomes }
    }

    func results() -> [[ConformanceCase.Engine: ConformanceCase.Outcome]] {
        lock.withLock {
            progress.finish()
            return found
        }
    }
}
