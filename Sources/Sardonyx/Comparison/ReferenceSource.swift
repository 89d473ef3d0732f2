import GraphIR
import TensorCore

/// Values that were saved: an `.npz` of a run in another engine, or the expected outputs of a test.
public struct Recording {
    package let names: [Name]
    private let load: (Name) throws(SardonyxError) -> RuntimeValue?

    /// - Parameter tensors: by the names of the model's values.
    public init(_ tensors: [String: Tensor]) {
        let named = Dictionary(tensors.map { (Name($0.key), $0.value) }) { first, _ in first }
        self.init(names: named.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }) { name in
            named[name].map(RuntimeValue.tensor)
        }
    }

    /// - Parameter load: called whenever a value is needed, so that only one is in memory at a time.
    package init(names: [Name], load: @escaping (Name) throws(SardonyxError) -> RuntimeValue?) {
        self.names = names
        self.load = load
    }

    package func value(_ name: Name) throws(SardonyxError) -> RuntimeValue? { try load(name) }
}

/// Where the values come from that a run is compared with.
protocol ReferenceSource: AnyObject {
    /// Values that it has.
    var names: [Name] { get }
    /// A value; `nil` when it has none of this name.
    func value(_ name: Name) throws(SardonyxError) -> RuntimeValue?
}

final class RecordedReference: ReferenceSource {
    private let recording: Recording
    let names: [Name]
    private let known: Set<Name>

    init(_ recording: Recording) {
        self.recording = recording
        names = recording.names
        known = Set(names)
    }

    func value(_ name: Name) throws(SardonyxError) -> RuntimeValue? {
        known.contains(name) ? try recording.value(name) : nil
    }
}

/// A second run that keeps step with the first: it goes on until it has made what is asked for, and keeps what will be
/// asked for later until that has happened.
final class LockstepReference: ReferenceSource {
    let names: [Name]
    private let run: ComparedRun
    private let known: Set<Name>
    private let constants: [Name: Constant]
    /// How often each value will still be asked for.
    private var asks: [Name: Int]
    private var kept: [Name: RuntimeValue] = [:]
    private var keptByteCount = 0
    private var isDone = false
    private let limit: Int
    private let others: () -> Int
    /// The most bytes that were kept at one time.
    private(set) var mostKeptBytes = 0

    /// - Parameters:
    ///   - asks: how often each value will be asked for.
    ///   - limit: for both runs and what is kept between them.
    ///   - others: bytes of the other run.
    init(_ run: ComparedRun, asks: [Name: Int], limit: Int, others: @escaping () -> Int) {
        self.run = run
        self.asks = asks
        self.limit = limit
        self.others = others
        names = run.names
        known = Set(names)
        constants = Dictionary(
            run.graph.values.compactMap { value in value.constant.map { (value.name, $0) } }
        ) { first, _ in first }
    }

    func value(_ name: Name) throws(SardonyxError) -> RuntimeValue? {
        if let constant = constants[name] { return .tensor(try constant.tensor()) }
        guard known.contains(name) else { return nil }
        while kept[name] == nil, !isDone { try advance() }
        guard let value = kept[name] else { return nil }
        let left = (asks[name] ?? 1) - 1
        asks[name] = left
        if left <= 0 {
            kept[name] = nil
            keptByteCount -= value.byteCount
        }
        return value
    }

    private func advance() throws(SardonyxError) {
        let position = run.steps.position
        guard run.upcoming != nil else {
            isDone = true
            guard !run.last.isEmpty else { return }
            let outputs = try run.steps.outputs()
            for sight in run.last where isWanted(sight.name) { try keep(outputs[sight.position], sight.name) }
            return
        }
        for sight in run.sights[position].before where isWanted(sight.name) {
            if let value = try run.value(before: sight)?.kept() { try keep(value, sight.name) }
        }
        try run.advance()
        for sight in run.sights[position].after where isWanted(sight.name) {
            if let value = try run.steps.output(sight.position)?.kept() { try keep(value, sight.name) }
        }
    }

    private func isWanted(_ name: Name) -> Bool { (asks[name] ?? 0) > 0 }

    private func keep(_ value: RuntimeValue, _ name: Name) throws(SardonyxError) {
        kept[name] = value
        keptByteCount += value.byteCount
        mostKeptBytes = max(mostKeptBytes, keptByteCount)
        let total = CheckedSize.sum(keptByteCount, run.steps.byteCount, others()) ?? .max
        guard total > limit else { return }
        throw SardonyxError(
            .limit, "comparison", "memory for both runs and \(kept.count) values between them", got: "\(total) bytes",
            allowed: "\(limit) bytes in all",
            hint: "Raise it with --memory, or record one side (sardonyx run --all-values) and compare with the file")
    }
}
