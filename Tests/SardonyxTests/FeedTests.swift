import Sardonyx
import TestSupport
import Testing

/// What a caller feeds against y = a + b, both float32[h, 3].
@Suite struct FeedTests {
    private let session: Session

    init() throws {
        let signature = matrix("a") + matrix("b") + .message(12, value("y", extents: nil))
        session = try Model(bytes: model(graph([node("Add", ["a", "b"], ["y"])], more: signature))).session()
    }

    private func failure(_ feeds: [String: Tensor]) throws -> SardonyxError {
        try #require(throws: SardonyxError.self) { try session.run(feeds) }
    }

    private func floats(_ dims: Int...) throws -> Tensor {
        try Tensor([Float](repeating: 1, count: dims.reduce(1, *)), dims: dims)
    }

    @Test func fittingFeedsRun() throws {
        for rows in [2, 5, 0] {
            let outputs = try session.run(["a": floats(rows, 3), "b": floats(rows, 3)])
            let y = try #require(outputs["y"])
            #expect(Array(y.shape.dims) == [rows, 3])
            #expect(try y.array(of: Float.self) == [Float](repeating: 2, count: 3 * rows))
        }
    }

    @Test func everyFaultIsNamedAtOnce() throws {
        let error = try failure(["a": Tensor([1.0, 2.0], dims: [1, 2]), "c": floats(1)])
        #expect(error.code == .input)
        for part in [
            "'b' is missing", "'c' is not an input", "'a' is float64, not float32", "'a' axis 1 is 2, not 3",
            "a: float32[h, 3]", "b: float32[h, 3]",
        ] {
            #expect(error.description.contains(part), "\(part) in \(error)")
        }
    }

    @Test func wrongRankIsNamed() throws {
        let error = try failure(["a": floats(2, 3, 1), "b": floats(2, 3)])
        #expect(error.code == .input && error.message.contains("'a' has rank 3, not 2"))
    }

    @Test func oneNameIsOneExtent() throws {
        let error = try failure(["a": floats(2, 3), "b": floats(5, 3)])
        #expect(error.code == .input && error.message.contains("'h' is 2 in 'a' and 5 in 'b' axis 0"))
    }

    @Test func aSessionOutlivesAFault() throws {
        _ = try failure([:])
        #expect(try session.run(["a": floats(1, 3), "b": floats(1, 3)]).count == 1)
    }

    @Test func passedDeadlineAndCancellationAreErrors() throws {
        let feeds = ["a": try floats(2, 3), "b": try floats(2, 3)]
        let late = try #require(throws: SardonyxError.self) {
            try session.run(feeds, options: RunOptions(timeout: .nanoseconds(1)))
        }
        #expect(late.code == .deadline)
        let stopped = try #require(throws: SardonyxError.self) {
            try session.run(feeds, options: RunOptions(isCancelled: { true }))
        }
        #expect(stopped.code == .cancelled)
    }

    /// What a session keeps for its next run holds nothing of the caller's.
    @Test func aRunLetsGoOfItsOptions() throws {
        final class Owner: Sendable {}
        weak var owner: Owner?
        do {
            let strong = Owner()
            owner = strong
            let options = RunOptions(isCancelled: { withExtendedLifetime(strong) { false } })
            _ = try session.run(["a": floats(2, 3), "b": floats(2, 3)], options: options)
        }
        #expect(owner == nil)
    }
}

/// A graph input float32[h, 3].
private func matrix(_ name: String) -> Message {
    .message(11, value(name, extents: [.text(2, "h"), .int(1, 3)]))
}
