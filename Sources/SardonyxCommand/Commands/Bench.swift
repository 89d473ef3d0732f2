import ArgumentParser
import Foundation
import Sardonyx

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a model: median, p90, p99, load time, memory.",
        discussion: """
            Inputs that are not given are random numbers from a seed. Times are of whole runs, in this process, one
            after the other. With --serve it does nothing by itself but answers lines of standard input with a line of
            JSON each, so that a harness can time it in turn with other engines (tools/bench-peers does):
            'load', 'run' or 'run N' (N runs), 'write FILE.npz' (outputs of the last run).

            Examples:
              sardonyx bench yolact.onnx
              sardonyx bench model.onnx --shape image=8x3x224x224 --threads 1 --rounds 200 --json
              printf 'load\\nrun 3\\n' | sardonyx bench model.onnx --serve --input image=input.npy
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(help: "Measured runs.") var rounds = 30
    @Option(help: "Runs before measuring.") var warmUp = 5
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Answer commands from standard input.") var serve = false
    @OptionGroup var inputs: InputFlags
    @OptionGroup var modelFlags: ModelFlags
    @OptionGroup var flags: SessionFlags

    private struct Report: Encodable {
        let model: String
        let threads: Int
        let rounds: Int
        let loadMilliseconds: Double
        let firstRunMilliseconds: Double
        let medianMilliseconds: Double
        let p90Milliseconds: Double
        let p99Milliseconds: Double
        let minimumMilliseconds: Double
        let peakResidentBytes: Int
        let weightBytes: Int
        let plannedBytes: Int
    }

    func validate() throws {
        guard (1...1_000_000).contains(rounds), (0...1_000_000).contains(warmUp) else {
            throw ValidationError("--rounds takes 1 to 1000000, --warm-up 0 to 1000000.")
        }
    }

    func run() throws {
        if serve {
            var server = BenchServer(model: model, modelFlags: modelFlags, flags: flags, inputs: inputs)
            return try server.serve()
        }
        let clock = ContinuousClock()
        let start = clock.now
        let session = try modelFlags.load(model).session(try flags.options())
        let load = clock.now - start
        let inputs = try inputs.named(for: session)
        let planned = try session.plannedByteCount(byName: inputs.mapValues { Array($0.shape.dims) })
        let first = try clock.measure { _ = try session.run(byName: inputs) }
        var progress = ProgressLine(unit: "runs")
        var times: [Double] = []
        for round in 0..<warmUp + rounds {
            let time = try clock.measure { _ = try session.run(byName: inputs) }
            if round >= warmUp { times.append(Units.milliseconds(time)) }
            progress.show(round + 1, of: warmUp + rounds)
        }
        progress.finish()
        times.sort()
        let report = Report(
            model: model, threads: session.options.threads, rounds: rounds,
            loadMilliseconds: Units.milliseconds(load), firstRunMilliseconds: Units.milliseconds(first),
            medianMilliseconds: Self.quantile(times, 0.5), p90Milliseconds: Self.quantile(times, 0.9),
            p99Milliseconds: Self.quantile(times, 0.99), minimumMilliseconds: times[0],
            peakResidentBytes: ProcessMemory.peakResidentByteCount, weightBytes: session.weightByteCount,
            plannedBytes: planned)
        if json { try Console.printJSON(report) } else { printText(report) }
    }

    /// Linear interpolation between the two nearest of the sorted times.
    private static func quantile(_ sorted: [Double], _ fraction: Double) -> Double {
        let position = fraction * Double(sorted.count - 1)
        let lower = Int(position)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (sorted[upper] - sorted[lower]) * (position - Double(lower))
    }

    private func printText(_ report: Report) {
        Console.print("\(report.model), \(report.threads) threads, \(report.rounds) runs after \(warmUp)")
        var table = TextTable([
            ("median", .right), ("p90", .right), ("p99", .right), ("least", .right), ("first run", .right),
            ("load", .right),
        ])
        table.add(
            Units.text(milliseconds: report.medianMilliseconds), Units.text(milliseconds: report.p90Milliseconds),
            Units.text(milliseconds: report.p99Milliseconds), Units.text(milliseconds: report.minimumMilliseconds),
            Units.text(milliseconds: report.firstRunMilliseconds), Units.text(milliseconds: report.loadMilliseconds))
        Console.print(table.render())
        Console.print(
            "  memory: \(Units.bytes(report.peakResidentBytes)) peak resident; weights \(Units.bytes(report.weightBytes)), planned values \(Units.bytes(report.plannedBytes))"
        )
    }
}

/// Memory of this process.
enum ProcessMemory {
    /// `VmHWM` of /proc/self/status.
    static var peakResidentByteCount: Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
        let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        return (kibibytes ?? 0) * 1024
    }
}
