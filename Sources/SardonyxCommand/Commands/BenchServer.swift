import Foundation
import GraphIR
import Sardonyx

/// `sardonyx bench --serve`: a resident model that runs when it is told to. Standard input carries commands, standard
/// output one line of JSON for each; a command that cannot be done ends the process as any other error does.
struct BenchServer {
    private let path: String
    private let modelFlags: ModelFlags
    private let flags: SessionFlags
    private let inputFlags: InputFlags
    private let clock = ContinuousClock()
    private var loaded: (session: Session, inputs: [Name: Tensor])?
    private var outputs: [Tensor] = []

    init(model path: String, modelFlags: ModelFlags, flags: SessionFlags, inputs: InputFlags) {
        self.path = path
        self.modelFlags = modelFlags
        self.flags = flags
        self.inputFlags = inputs
    }

    private struct Greeting: Encodable { let engine, version: String }
    private struct Loaded: Encodable { let loadMilliseconds: Double, precision = "f32" }
    private struct Ran: Encodable { let milliseconds: [Double] }
    private struct Written: Encodable { let written: String }

    /// Answers until standard input ends.
    mutating func serve() throws {
        try answer(Greeting(engine: "sardonyx", version: SardonyxCommand.configuration.version))
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch (words.first, words.dropFirst().first) {
            case ("load", nil): try answer(try load())
            case ("run", let count): try answer(try run(count ?? "1"))
            case ("write", let path?): try answer(try write(to: path))
            default: throw Self.misuse("no such command", got: line, allowed: "load, run, run N, write FILE.npz")
            }
        }
    }

    /// From the file to a session; the inputs are read outside of the time.
    private mutating func load() throws -> Loaded {
        let start = clock.now
        let session = try modelFlags.load(path).session(try flags.options())
        let time = clock.now - start
        loaded = (session, try inputFlags.named(for: session))
        return Loaded(loadMilliseconds: Units.milliseconds(time))
    }

    private mutating func run(_ text: String) throws -> Ran {
        guard let count = Int(text), (1...1_000_000).contains(count) else {
            throw Self.misuse("number of runs", got: text, allowed: "1 to 1000000")
        }
        guard let (session, inputs) = loaded else { throw Self.misuse("order", got: "run", allowed: "load first") }
        var times: [Double] = []
        for _ in 0..<count {
            outputs = []
            let start = clock.now
            outputs = try session.run(byName: inputs)
            times.append(Units.milliseconds(clock.now - start))
        }
        return Ran(milliseconds: times)
    }

    private func write(to path: String) throws -> Written {
        guard let (session, _) = loaded, !outputs.isEmpty else {
            throw Self.misuse("order", got: "write", allowed: "load and run first")
        }
        try OutputArrays(path, for: session.model.outputs).write(outputs)
        return Written(written: path)
    }

    private func answer(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
    }

    private static func misuse(_ what: String, got: String, allowed: String) -> SardonyxError {
        SardonyxError(.usage, "standard input of --serve", what, got: "'\(got)'", allowed: allowed)
    }
}
