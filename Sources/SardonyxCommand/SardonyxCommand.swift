import ArgumentParser
import Foundation
import GraphIR
import Sardonyx

@main
struct SardonyxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sardonyx",
        abstract: "Segment pictures, and run, inspect and benchmark ONNX graphs on the CPU.",
        discussion: """
            Examples:
              sardonyx segment street.jpg --model yolact.onnx
              sardonyx card yolo11n-seg.onnx
              sardonyx inspect yolact.onnx --nodes
              sardonyx run model.onnx --input image=input.npy --output out.npz
              sardonyx bench model.onnx --threads 2
              sardonyx profile model.onnx --svg profile.svg
              sardonyx compare model.onnx ort.npz
              sardonyx operators resize
              sardonyx extract model.onnx --to scores -o part.onnx
              sardonyx optimize model.onnx -o small.onnx --check
              sardonyx reduce model.onnx --while './fails {}' -o smallest.onnx

            Exit codes: 0 done, 1 not as expected (test, compare, inspect --diff), 2 wrong usage, 3 the model, \
            4 an input or picture, 5 a limit or deadline.
            """,
        version: "0.1.0",
        subcommands: [
            Segment.self, CardCommand.self, Run.self, Inspect.self, Bench.self, ProfileCommand.self, TestCommand.self,
            Compare.self, Extract.self, Optimize.self, Reduce.self, OperatorsCommand.self, Doctor.self,
        ])

    static func main() {
        do {
            try requireSubcommand()
            var command = try parseAsRoot()
            try requireKnownInstructionSet()
            try requireThreadCounts()
            try command.run()
        } catch let error as SardonyxError {
            Console.error(error.description)
            Foundation.exit(error.exitCode)
        } catch let code as ExitCode {
            // What went wrong has been said.
            Foundation.exit(code.rawValue)
        } catch {
            // Help and version requests succeed; everything else from the parser is wrong usage.
            let text = fullMessage(for: error)
            if exitCode(for: error) == .success {
                Console.print(text)
                Foundation.exit(0)
            }
            let lines = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            Console.error("usage: \(lines)\(lines.hasSuffix(".") ? "" : ".") See sardonyx --help")
            Foundation.exit(2)
        }
    }

    /// - Throws: `usage` where the first argument is no subcommand: the parser would find the others too many.
    private static func requireSubcommand() throws(SardonyxError) {
        guard let given = CommandLine.arguments.dropFirst().first, !given.hasPrefix("-") else { return }
        let known = configuration.subcommands.map { $0._commandName } + ["help"]
        guard !known.contains(given) else { return }
        throw SardonyxError(
            .usage, "sardonyx", "no such subcommand", got: "'\(given)'", allowed: known.joined(separator: ", "),
            hint: ClosestName.of(Name(given), among: known.lazy.map { Name($0) }).map { "The nearest is '\($0)'" })
    }

    /// - Throws: `usage` for a value of `SARDONYX_ISA` that the kernels would not heed.
    private static func requireKnownInstructionSet() throws(SardonyxError) {
        guard let name = ProcessInfo.processInfo.environment["SARDONYX_ISA"], !name.isEmpty else { return }
        let known = ModelRun.instructionSets
        guard !known.contains(name) else { return }
        throw SardonyxError(
            .usage, "SARDONYX_ISA", "unknown instruction set", got: "'\(name)'",
            allowed: known.joined(separator: ", "))
    }

    /// The OpenMP library ends the process when `OMP_NUM_THREADS` is empty or out of its range.
    /// - Throws: `usage` for a value that is not one or more counts; an empty one counts as absent.
    private static func requireThreadCounts() throws(SardonyxError) {
        guard let text = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"] else { return }
        guard !text.allSatisfy(\.isWhitespace) else {
            unsetenv("OMP_NUM_THREADS")
            return
        }
        let counts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard
            counts.allSatisfy({ (1...65_536).contains(Int($0.trimmingCharacters(in: .whitespaces)) ?? 0) })
        else {
            throw SardonyxError(
                .usage, "OMP_NUM_THREADS", "thread count", got: "'\(text)'", allowed: "1 to 65536, or unset")
        }
    }
}

extension SardonyxError {
    /// Exit code of the command.
    var exitCode: Int32 {
        switch code {
        case .usage: 2
        case .parse, .unsupported, .graph, .tensor, .external, .shape: 3
        case .input, .value, .image: 4
        case .limit, .deadline, .cancelled: 5
        case .internal: 70
        }
    }
}
