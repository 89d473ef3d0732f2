import Foundation
import GraphIR
import OnnxExport
import Sardonyx

/// Delta debugging of models (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002): removes
/// runs of nodes, from halves down to single ones, as long as a trial still holds.
///
/// The first halves are the prefixes and suffixes of the graph: nodes are in topological order, what a removed node alone
/// read becomes an output, and what it made an input, a constant of a recorded run, or another value of its type.
struct Reducer {
    /// Why it came to rest.
    enum Ending: String, Encodable {
        /// No node can be removed any more.
        case smallest
        case outOfTries = "out of tries"
        case interrupted
    }

    private(set) var best: ModelGraph
    private(set) var tries = 0
    private(set) var timeouts = 0
    private(set) var written: OnnxExporter.Summary?

    let trial: ShellTrial
    let mostTries: Int
    let keepsGoing: Bool
    /// The replacements to try, the one that worked last first.
    private var replacements: [Replacement]
    private let recorded: [Name: Tensor]
    private let folder: String
    private let save: (ModelGraph) throws(SardonyxError) -> OnnxExporter.Summary
    private var progress = ReduceProgress()

    /// - Parameters:
    ///   - folder: where candidates are written.
    ///   - save: keeps the smallest model so far.
    init(
        _ model: ModelGraph, trial: ShellTrial, replacements: [Replacement], recorded: [Name: Tensor], folder: String,
        mostTries: Int, keepsGoing: Bool, save: @escaping (ModelGraph) throws(SardonyxError) -> OnnxExporter.Summary
    ) {
        self.best = model
        self.trial = trial
        self.replacements = replacements
        self.recorded = recorded
        self.folder = folder
        self.mostTries = mostTries
        self.keepsGoing = keepsGoing
        self.save = save
    }

    private struct Stopped: Error {
        let ending: Ending
    }

    /// - Throws: `usage` when the trial does not hold for the model itself, `input` when the command cannot be run.
    mutating func reduce() throws -> Ending {
        defer { progress.finish() }
        do {
            let outcome = try outcome(best)
            guard outcome == .holds else {
                throw SardonyxError(
                    .usage, "--while", "the command does not exit with 0 for the model itself",
                    got: Self.text(outcome, timeout: trial.timeout),
                    hint: "It must exit with 0 while a model still shows what you look for")
            }
            written = try save(best)
            repeat {
                try removeOutputs()
            } while try removeNodes()
            return .smallest
        } catch let stopped as Stopped {
            return stopped.ending
        }
    }

    // MARK: Steps

    /// Leaves out outputs, and with them the nodes that lead to nothing else.
    private mutating func removeOutputs() throws {
        if best.graph.outputs.count > 2 {
            for id in best.graph.outputs where best.graph.outputs.count > 1 {
                if try accept(keeping(outputs: [id], of: best.graph)) { return }
            }
        }
        var position = 0
        while position < best.graph.outputs.count, best.graph.outputs.count > 1 {
            var outputs = best.graph.outputs
            outputs.remove(at: position)
            if try !accept(keeping(outputs: outputs, of: best.graph)) { position += 1 }
        }
    }

    private func keeping(outputs: [ValueID], of graph: Graph) -> Graph? {
        let made = graph.producers()
        let computed = outputs.filter { made[$0.index] != nil }
        guard !computed.isEmpty else { return nil }
        let needed = graph.extracted(from: [], to: computed).missing
        return graph.extracted(from: needed, to: computed).graph
    }

    /// Removes runs of nodes, of half the graph first, until single ones stay.
    /// - Returns: whether something was removed.
    private mutating func removeNodes() throws -> Bool {
        let before = best.graph.nodes.count
        var size = max(before / 2, 1)
        while true {
            var isChanged = false
            // From the end: what comes last depends on most.
            var end = best.graph.nodes.count
            while end > 0 {
                let run = max(end - size, 0)..<end
                if best.graph.nodes.count > 1, try remove(run) {
                    isChanged = true
                    end = min(run.lowerBound, best.graph.nodes.count)
                } else {
                    end = run.lowerBound
                }
            }
            if size == 1, !isChanged { break }
            if !isChanged || size > best.graph.nodes.count { size = max(min(size, best.graph.nodes.count) / 2, 1) }
        }
        return best.graph.nodes.count < before
    }

    private mutating func remove(_ run: Range<Int>) throws -> Bool {
        var tried: [GraphShape] = []
        for replacement in replacements {
            guard let smaller = best.graph.removing(Set(run), replacement, recorded: recorded) else { continue }
            let shape = GraphShape(smaller)
            guard !tried.contains(shape) else { continue }
            tried.append(shape)
            guard try accept(smaller) else { continue }
            replacements.removeAll { $0 == replacement }
            replacements.insert(replacement, at: 0)
            return true
        }
        return false
    }

    /// Whether replacements made a difference.
    private struct GraphShape: Equatable {
        let inputs: [Name]
        let constants: Int
        let reads: [[ValueID?]]

        init(_ graph: Graph) {
            inputs = graph.inputs.map { graph[$0].name }
            constants = graph.values.count { $0.constant != nil }
            reads = graph.nodes.map(\.inputs)
        }
    }

    // MARK: Trials

    /// Takes a smaller graph if the trial holds for it.
    private mutating func accept(_ graph: Graph?) throws -> Bool {
        guard let graph, graph.nodes.count < best.graph.nodes.count || graph.outputs.count < best.graph.outputs.count
        else { return false }
        try graph.validate()
        var model = best
        model.graph = graph
        guard try outcome(model) == .holds else { return false }
        best = model
        written = try save(model)
        return true
    }

    private mutating func outcome(_ model: ModelGraph) throws -> ShellTrial.Outcome {
        if trial.interrupt.isSet { throw Stopped(ending: .interrupted) }
        if tries >= mostTries { throw Stopped(ending: .outOfTries) }
        tries += 1
        progress.show(best.graph.nodes.count, trying: model.graph.nodes.count, tries)
        let path = folder + "/model.onnx"
        _ = try OnnxExporter.write(model, to: path)
        let outcome = try trial.run(on: path)
        switch outcome {
        case .interrupted: throw Stopped(ending: .interrupted)
        case .timedOut: timeouts += 1
        case .fails(let code) where ShellTrial.cannotRun.contains(code) && !keepsGoing:
            throw SardonyxError(
                .input, "--while", "the shell cannot find or run the command", got: "exit code \(code)",
                hint: "--keep-going takes that as any other code but 0")
        default: break
        }
        return outcome
    }

    private static func text(_ outcome: ShellTrial.Outcome, timeout: Duration) -> String {
        switch outcome {
        case .holds: "exit code 0"
        case .fails(let code): code > 128 ? "signal \(code - 128)" : "exit code \(code)"
        case .timedOut: "no end within \(Units.text(timeout))"
        case .interrupted: "an interruption"
        }
    }
}

/// A line on standard error with the size so far; silent for the first second and when nobody watches.
private struct ReduceProgress {
    private let start = ContinuousClock.now
    private var isShown = false

    mutating func show(_ nodes: Int, trying: Int, _ tries: Int) {
        guard Console.showsProgress, .now - start > .seconds(1) else { return }
        isShown = true
        Console.write("\r\u{1B}[K\(nodes) nodes after \(tries - 1) tries, trying \(trying)")
    }

    func finish() { if isShown { Console.write("\r\u{1B}[K") } }
}
