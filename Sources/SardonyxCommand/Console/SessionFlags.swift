import ArgumentParser
import Sardonyx

/// Options of every command that runs a model.
struct SessionFlags: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: "Threads of one run (default: the CPUs this process may use).")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Most memory for the values of a run: 512M, 1.5G, 4GiB (powers of 1024) or 2GB (of 1000).",
            valueName: "bytes"))
    var memory: String?

    @Option(
        help: ArgumentHelp("Leave out a graph pass; may be repeated. 'all' leaves out every one.", valueName: "pass"))
    var disablePass: [String] = []

    @Option(help: "Winograd convolution: where it is faster and exact enough, or nowhere.")
    var winograd = WinogradUse.auto

    @Option(help: "Form of the weights: the fastest one (3x3 filters in four times their size), or plain size.")
    var memoryUse = MemoryUse.fast

    func options() throws(SardonyxError) -> SessionOptions {
        var passes = Set(disablePass)
        if passes.contains("all") { passes = Set(SessionOptions.passNames) }
        return SessionOptions(
            threads: threads, memoryLimit: try memory.map { (text) throws(SardonyxError) in try Self.bytes(text) },
            disabledPasses: passes, winograd: winograd, memoryUse: memoryUse)
    }

    /// Names of the options, as `arguments` has them.
    static let names = ["threads", "memory", "disable-pass", "winograd", "memory-use"]

    /// What to write on a command line to get the same.
    var arguments: [String] {
        var arguments: [String] = []
        if let threads { arguments += ["--threads", "\(threads)"] }
        if let memory { arguments += ["--memory", memory] }
        arguments += disablePass.flatMap { ["--disable-pass", $0] }
        return arguments + ["--winograd", winograd.rawValue, "--memory-use", memoryUse.rawValue]
    }

    private static func bytes(_ text: String) throws(SardonyxError) -> Int {
        guard let count = Units.byteCount(text) else {
            throw SardonyxError(
                .usage, "--memory", "not a size", got: "'\(text)'", allowed: "a number with a unit, as in 1.5GiB")
        }
        return count
    }
}

extension WinogradUse: ExpressibleByArgument {}
extension MemoryUse: ExpressibleByArgument {}

/// `name=1x3x550x550`, as given to `--shape`.
struct ShapeFlag: ExpressibleByArgument {
    let name: String
    let dims: [Int]

    init?(argument: String) {
        guard let separator = argument.lastIndex(of: "=") else { return nil }
        let parts = argument[argument.index(after: separator)...].split(omittingEmptySubsequences: false) {
            $0 == "x" || $0 == ","
        }
        let dims = parts.count == 1 && parts[0].isEmpty ? [] : parts.map { Int($0) }
        guard dims.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else { return nil }
        self.name = String(argument[..<separator])
        self.dims = dims.compactMap { $0 }
    }
}
