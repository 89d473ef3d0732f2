import ArgumentParser
import Sardonyx

/// Orders in which nodes can be listed.
enum ProfileOrder: String, CaseIterable, ExpressibleByArgument {
    case time, schedule, loss, macs, bytes, imbalance, name

    /// - Returns: the steps with the most of it first; those that have equally much in the order of execution.
    func sorted(_ steps: [Profile.Step]) -> [Profile.Step] {
        switch self {
        case .schedule: steps
        case .name: steps.sorted { $0.name < $1.name }
        case .time: Self.descending(steps) { $0.cost.milliseconds }
        case .loss: Self.descending(steps) { $0.cost.milliseconds - $0.cost.boundMilliseconds }
        case .macs: Self.descending(steps) { Double($0.cost.multiplyAccumulates) }
        case .bytes: Self.descending(steps) { Double($0.cost.byteCount) }
        case .imbalance: Self.descending(steps) { $0.imbalance ?? 0 }
        }
    }

    private static func descending(_ steps: [Profile.Step], by value: (Profile.Step) -> Double) -> [Profile.Step] {
        let keyed = steps.enumerated().map { (value: value($1), index: $0) }
        return keyed.sorted { ($1.value, $0.index) < ($0.value, $1.index) }.map { steps[$0.index] }
    }
}
