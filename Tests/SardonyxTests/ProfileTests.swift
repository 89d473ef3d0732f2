import Foundation
import Sardonyx
import TestSupport
import Testing

/// What a profile says of x float32[1, 16, 10, 12] → Conv (32 filters of 3x3) → Relu → Flatten → MatMul [3840, 5].
@Suite(.serialized) struct ProfileTests {
    private static func network(tail: [Message] = []) -> [UInt8] {
        func weight(_ name: String, _ dims: [Int]) -> Message {
            let values = (0..<dims.reduce(1, *)).map { Float($0 % 7) * 0.01 }
            return tensor(name, dims: dims, .bytes(9, little(values)))
        }
        let pads: Message = .message(
            5, [.text(1, "pads"), .int(20, 7)] + (0..<4).reduce([]) { pads, _ in pads + .int(8, 1) })
        let nodes = [
            node("Conv", ["x", "w"], ["c"], [.text(3, "conv"), pads]), node("Relu", ["c"], ["r"], .text(3, "relu")),
            node("Flatten", ["r"], ["f"]), node("MatMul", ["f", "m"], ["y"], .text(3, "product")),
        ]
        let signature: Message = [
            .message(11, value("x", extents: [.int(1, 1), .int(1, 16), .int(1, 10), .int(1, 12)])),
            .message(12, value(tail.isEmpty ? "y" : "z", dtype: tail.isEmpty ? 1 : 7, extents: nil)),
        ]
        return model(
            graph(
                nodes + tail, initializers: [weight("w", [32, 16, 3, 3]), weight("m", [3840, 5])], more: signature))
    }

    private static let feeds = Result {
        try Tensor((0..<1920).map { Float($0 % 11) * 0.1 }, dims: [1, 16, 10, 12])
    }

    private func profile(threads: Int = 2, rounds: Int = 5, tail: [Message] = []) throws -> Profile {
        let session = try Model(bytes: Self.network(tail: tail)).session(SessionOptions(threads: threads))
        return try session.profile(["x": Self.feeds.get()], rounds: rounds, warmUp: 1)
    }

    @Test func countsAreThoseOfTheShapes() throws {
        let profile = try profile()
        let conv = try #require(profile.steps.first { $0.kind == "Conv" })
        // 32 x 10 x 12 outputs of 16 x 3 x 3 taps.
        #expect(conv.cost.multiplyAccumulates == 552_960)
        #expect(conv.cost.executedMultiplyAccumulates > 0)
        #expect(!conv.algorithm.isEmpty)
        #expect(Set(conv.origins) == ["conv", "relu"])
        #expect(conv.outputs.first??.type == "float32[1, 32, 10, 12]")
        // x, 32 x 16 x 3 x 3 weights and y in four bytes; all channels fill blocks of 16.
        #expect(conv.cost.byteCount >= 4 * (1920 + 4608 + 3840))
        let product = try #require(profile.steps.first { $0.kind == "MatMul" })
        #expect(product.cost.multiplyAccumulates == 19_200)
        #expect(product.cost.executedMultiplyAccumulates == 19_200)
        #expect(product.cost.byteCount == 4 * (3840 + 19_200 + 5))
        #expect(profile.run.multiplyAccumulates == 572_160)
    }

    @Test func sharesAndTotalsAddUp() throws {
        let profile = try profile()
        #expect(profile.rounds == 5 && profile.warmUp == 1 && profile.machine.threads == 2)
        let inside = profile.steps.reduce(0) { $0 + $1.cost.milliseconds }
        let shares = profile.steps.reduce(0) { $0 + $1.cost.share }
        #expect(abs(shares + profile.outsideMilliseconds / (inside + profile.outsideMilliseconds) - 1) < 1e-9)
        #expect(profile.operators.reduce(0) { $0 + $1.stepCount } == profile.steps.count)
        #expect(abs(profile.operators.reduce(0) { $0 + $1.cost.milliseconds } - inside) < 1e-9)
        #expect(profile.reorders.stepCount == profile.steps.filter(\.isReorder).count)
        #expect(profile.operators.map(\.cost.milliseconds) == profile.operators.map(\.cost.milliseconds).sorted(by: >))
        for step in profile.steps {
            #expect(step.cost.milliseconds > 0)
            #expect((1...2).contains(step.threads))
            #expect(step.parallelMilliseconds <= step.cost.milliseconds * 1.0001)
            // Of two workers; the mean is in whole nanoseconds, of which a tiny step has few.
            #expect(step.imbalance.map { (1...2.1).contains($0) } ?? true)
        }
    }

    @Test func ratesFollowFromCountsAndTimes() throws {
        let profile = try profile()
        #expect(profile.machine.fmaGMACsPerSecond > 0 && profile.machine.readGBPerSecond > 0)
        for cost in profile.steps.map(\.cost) + profile.operators.map(\.cost) + [profile.run] {
            let rate = Double(cost.executedMultiplyAccumulates) / (cost.milliseconds * 1e6)
            if let executed = cost.executedGMACsPerSecond, let fraction = cost.fractionOfPeak {
                #expect(abs(executed - rate) <= 1e-9 * rate)
                #expect(abs(fraction - rate / profile.machine.fmaGMACsPerSecond) <= 1e-9 * fraction)
            } else {
                #expect(cost.executedMultiplyAccumulates == 0)
            }
        }
    }

    @Test func theTimelineIsInOrderAndInsideTheRun() throws {
        let profile = try profile()
        #expect(profile.timeline.steps.count == profile.steps.count)
        var end = 0.0
        for span in profile.timeline.steps {
            #expect(span.startMilliseconds >= end && span.endMilliseconds >= span.startMilliseconds)
            for worker in span.workers {
                #expect(worker.startMilliseconds >= span.startMilliseconds)
                #expect(worker.endMilliseconds <= span.endMilliseconds)
                #expect(worker.busyMilliseconds <= worker.endMilliseconds - worker.startMilliseconds + 1e-9)
            }
            end = span.endMilliseconds
        }
        #expect(end <= profile.timeline.milliseconds)
        #expect(profile.timeline.steps.contains { !$0.workers.isEmpty })
    }

    @Test func jsonGoesThereAndBack() throws {
        let profile = try profile(threads: 1)
        let back = try JSONDecoder().decode(Profile.self, from: try JSONEncoder().encode(profile))
        #expect(back.steps.map(\.name) == profile.steps.map(\.name))
        #expect(back == profile)
    }

    @Test func nodesWhoseShapesDependOnDataAreSteps() throws {
        let profile = try profile(tail: [node("NonZero", ["y"], ["n"]), node("Abs", ["n"], ["z"], .text(3, "size"))])
        let last = try #require(profile.steps.last)
        #expect(last.name == "size" && !last.isPlanned)
        #expect(last.outputs.first??.type == "int64[2, 5]")
        #expect(last.cost.byteCount == 2 * 8 * 10)
        #expect(profile.steps.first?.isPlanned == true)
    }

    @Test func profilingLeavesTheResultsAlone() throws {
        let session = try Model(bytes: Self.network()).session(SessionOptions(threads: 2))
        let feeds = ["x": try Self.feeds.get()]
        let before: [Float] = try #require(try session.run(feeds)["y"]).array()
        _ = try session.profile(feeds, rounds: 2, warmUp: 0)
        #expect(try #require(try session.run(feeds)["y"]).array(of: Float.self) == before)
    }

    @Test func countsOutOfRangeAreRefused() throws {
        let session = try Model(bytes: Self.network()).session()
        for (rounds, warmUp) in [(0, 0), (-1, 0), (1, -1), (Int.max, 0)] {
            let error = try #require(throws: SardonyxError.self) {
                try session.profile(["x": Self.feeds.get()], rounds: rounds, warmUp: warmUp)
            }
            #expect(error.code == .usage)
        }
        let late = try #require(throws: SardonyxError.self) {
            try session.profile(["x": Self.feeds.get()], options: RunOptions(timeout: .nanoseconds(1)))
        }
        #expect(late.code == .deadline)
    }
}
