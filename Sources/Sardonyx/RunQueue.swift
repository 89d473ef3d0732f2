import Dispatch
import Synchronization

/// Threads for runs that were started from asynchronous code: a run blocks its thread, which the cooperative pool
/// must not be asked to bear.
enum RunQueue {
    private static let queue = DispatchQueue(label: "sardonyx.run", attributes: .concurrent)

    static func submit(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }
}

/// Set once, from any thread.
final class CancellationFlag: Sendable {
    private let state = Atomic(false)

    var isSet: Bool { state.load(ordering: .relaxed) }
    func set() { state.store(true, ordering: .relaxed) }
}
