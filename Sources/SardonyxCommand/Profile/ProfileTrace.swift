import Sardonyx

/// A profile as a Chrome trace for Perfetto or chrome://tracing ("Trace Event Format", JSON object form): the round
/// that took the least time, with a lane for the nodes, one for every worker, and counters.
struct ProfileTrace: Encodable {
    enum Argument: Encodable {
        case text(String)
        case number(Double)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }
    }

    /// Times in microseconds.
    struct Event: Encodable {
        let name: String
        /// `X` complete, `C` counter, `M` metadata.
        let ph: String
        var cat: String?
        var ts: Double?
        var dur: Double?
        let pid = 1
        let tid: Int
        var args: [String: Argument]
    }

    let traceEvents: [Event]
    let displayTimeUnit = "ms"
    let otherData: [String: Argument]

    init(_ profile: Profile, title: String) {
        let lanes = ["nodes"] + (0..<profile.machine.threads).map { "worker \($0)" }
        var events = [Event(name: "process_name", ph: "M", tid: 0, args: ["name": .text("sardonyx \(title)")])]
        for (lane, name) in lanes.enumerated() {
            events.append(Event(name: "thread_name", ph: "M", tid: lane, args: ["name": .text(name)]))
            events.append(
                Event(name: "thread_sort_index", ph: "M", tid: lane, args: ["sort_index": .number(Double(lane))]))
        }
        for (step, span) in zip(profile.steps, profile.timeline.steps) {
            events += Self.events(step, span)
        }
        events += Self.counters(profile.timeline.milliseconds * 1e3, 0, 0)
        traceEvents = events
        otherData = [
            "model": .text(title), "isa": .text(profile.machine.isa),
            "threads": .number(Double(profile.machine.threads)),
            "fmaGMACsPerSecond": .number(profile.machine.fmaGMACsPerSecond),
            "readGBPerSecond": .number(profile.machine.readGBPerSecond),
        ]
    }

    private static func events(_ step: Profile.Step, _ span: Profile.Timeline.Span) -> [Event] {
        let milliseconds = span.endMilliseconds - span.startMilliseconds
        func rate(_ count: Int) -> Double { milliseconds > 0 ? Double(count) / milliseconds * 1e-6 : 0 }
        let gmacs = rate(step.cost.executedMultiplyAccumulates)
        var arguments: [String: Argument] = [
            "node": .text(step.title), "output": .text(step.outputs.first??.type ?? ""),
            "layout": .text(step.outputs.first??.layout ?? ""), "MACs": .number(Double(step.cost.multiplyAccumulates)),
            "executed GMAC/s": .number(gmacs), "GB/s": .number(rate(step.cost.byteCount)),
            "threads": .number(Double(step.threads)), "median ms": .number(step.cost.milliseconds),
        ]
        if let imbalance = step.imbalance { arguments["imbalance"] = .number(imbalance) }
        if let fraction = step.cost.fractionOfPeak { arguments["fraction of peak"] = .number(fraction) }
        let name = step.method
        var events = [
            Event(
                name: name, ph: "X", cat: step.kind, ts: span.startMilliseconds * 1e3, dur: milliseconds * 1e3, tid: 0,
                args: arguments)
        ]
        events += span.workers.map { worker in
            Event(
                name: name, ph: "X", cat: step.kind, ts: worker.startMilliseconds * 1e3,
                dur: (worker.endMilliseconds - worker.startMilliseconds) * 1e3, tid: worker.worker + 1,
                args: ["node": .text(step.title), "busy ms": .number(worker.busyMilliseconds)])
        }
        return events + counters(span.startMilliseconds * 1e3, gmacs, rate(step.cost.byteCount))
    }

    private static func counters(_ time: Double, _ gmacs: Double, _ gigabytes: Double) -> [Event] {
        [
            Event(name: "GMAC/s", ph: "C", ts: time, tid: 0, args: ["executed": .number(gmacs)]),
            Event(name: "GB/s", ph: "C", ts: time, tid: 0, args: ["moved": .number(gigabytes)]),
        ]
    }
}
