import ArgumentParser
import Sardonyx

/// The option that bounds the time of planning and running.
struct TimeoutFlag: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Give up after this many seconds of planning and running; of several pictures, each has as many.")
    var timeout: Double?

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout < 1e9) {
            throw ValidationError("--timeout takes seconds, more than 0.")
        }
    }

    /// A clock that starts now.
    struct Deadline {
        private let end: ContinuousClock.Instant?

        init(after seconds: Double?) { end = seconds.map { .now + .seconds($0) } }

        /// What is left of the time.
        var limits: RunOptions { RunOptions(timeout: end.map { $0 - .now }) }
    }

    var deadline: Deadline { Deadline(after: timeout) }
}
