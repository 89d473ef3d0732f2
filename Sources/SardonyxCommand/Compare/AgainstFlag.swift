import ArgumentParser
import Sardonyx

/// `--against`: the same model, run otherwise.
enum AgainstFlag {
    /// - Throws: `usage` for an option that there is not, or a value that it does not take.
    static func run(_ entries: [String], _ flags: SessionFlags, _ run: ModelRun) throws(SardonyxError) -> ModelRun {
        var other = run
        var arguments = flags.arguments
        for entry in entries.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw SardonyxError(.usage, "--against", "not an option", got: "'\(entry)'", allowed: "option=value")
            }
            switch parts[0] {
            case "optimize":
                guard let flag = OptimizeFlag(rawValue: parts[1]) else {
                    throw SardonyxError(.usage, "--against optimize", "value", got: "'\(parts[1])'", allowed: "on, off")
                }
                other.isOptimized = flag == .on
            case "isa":
                guard ModelRun.instructionSets.contains(parts[1]) else {
                    throw SardonyxError(
                        .usage, "--against isa", "unknown instruction set", got: "'\(parts[1])'",
                        allowed: ModelRun.instructionSets.joined(separator: ", "))
                }
                other.instructionSet = parts[1]
            default: arguments += ["--\(parts[0])", parts[1]]
            }
        }
        do {
            other.options = try SessionFlags.parse(arguments).options()
        } catch let error as SardonyxError {
            throw error.placed(at: "--against")
        } catch {
            let names = ["optimize", "isa"] + SessionFlags.names
            throw SardonyxError(
                .usage, "--against", SessionFlags.message(for: error), got: entries.joined(separator: ","),
                allowed: names.joined(separator: ", "))
        }
        return other
    }
}
