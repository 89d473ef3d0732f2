import GraphIR
import TensorCore
import Testing

@testable import Operators

/// What an operator computes in the blocked layout is what it computes on plain tensors, and padding lanes stay zero.
@Suite struct BlockedLayoutTests {
    private func check(_ runner: LayoutRunner, _ layouts: [Layout], expects layout: Layout = .blocked16) throws {
        let plain = try runner.plain()
        let blocked = try runner.blocked(input: layouts)
        #expect(blocked.layout == layout, "\(runner.node.label)")
        #expect(blocked.paddingIsZero, "\(runner.node.label)")
        try #require(plain.count == blocked.values.count)
        for (a, b) in zip(plain, blocked.values) {
            // The order of a sum may differ between layouts: a few units in the last place of its terms.
            guard abs(a - b) > 1e-5 * max(1, abs(a)) else { continue }
            Issue.record("\(runner.node.label): \(a) plain, \(b) blocked")
            return
        }
    }

    @Test(arguments: [16, 20, 32]) func imageOperators(channels: Int) throws {
        let x = try LayoutRunner.ramp([2, channels, 9, 7], 1)
        let window: [String: Attribute] = [
            "kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]),
        ]
        try check(LayoutRunner("MaxPool", [x], window), [.blocked16])
        try check(LayoutRunner("AveragePool", [x], window), [.blocked16])
        try check(LayoutRunner("GlobalAveragePool", [x]), [.blocked16])
        let none = try Tensor([Float](), dims: [0])
        let sizes = try Tensor([2, Int64(channels), 18, 13], dims: [4])
        try check(
            LayoutRunner("Resize", [x, none, none, sizes], ["mode": .string(Array("linear".utf8))]),
            [.blocked16, .plain, .plain, .plain])
        let statistics = try (2...4).map { try LayoutRunner.ramp([channels], $0) }
        let variance = try Tensor([Float](repeating: 0.5, count: channels), dims: [channels])
        try check(
            LayoutRunner("BatchNormalization", [x] + statistics + [variance]),
            [.blocked16] + [Layout](repeating: .plain, count: 4))
    }

    @Test(arguments: [16, 20, 32]) func convolutions(channels: Int) throws {
        let x = try LayoutRunner.ramp([2, channels, 9, 7], 1)
        let pads: Attribute = .ints([1, 1, 1, 1])
        let w = try LayoutRunner.ramp([40, channels, 3, 3], 2)
        let bias = try LayoutRunner.ramp([40], 3)
        try check(LayoutRunner("Conv", [x, w, bias], ["pads": pads]), [.blocked16, .plain, .plain])
        try check(
            LayoutRunner(
                "Conv", [x, LayoutRunner.ramp([channels, 1, 3, 3], 4)], ["pads": pads, "group": .int(channels)]),
            [.blocked16, .plain])
        let residual = try LayoutRunner.ramp([2, 40, 9, 7], 5)
        let sigmoid: Attribute = .string(Array("Sigmoid".utf8))
        try check(
            LayoutRunner(
                "Conv", [x, w, bias, residual], ["pads": pads, "activation": sigmoid], domain: Domains.internal,
                opset: 1),
            [.blocked16, .plain, .plain, .blocked16])
        try check(
            LayoutRunner(
                "Conv", [x, w, bias], ["pads": pads, "channels_last": .int(1)], domain: Domains.internal, opset: 1),
            [.blocked16, .plain, .plain], expects: .plain)
        try check(
            LayoutRunner(
                "Conv", [LayoutRunner.ramp([1, 3, 21, 19], 6), LayoutRunner.ramp([32, 3, 7, 7], 7)],
                ["strides": .ints([2, 2])]),
            [.plain, .plain])
    }

    @Test func elementwise() throws {
        for channels in [20, 32] {
            let x = try LayoutRunner.ramp([2, channels, 5, 3], 1)
            let filled: Layout = channels % 16 == 0 ? .blocked16 : .plain
            try check(LayoutRunner("Relu", [x]), [.blocked16])
            try check(LayoutRunner("HardSwish", [x]), [.blocked16])
            try check(LayoutRunner("Sigmoid", [x]), [.blocked16], expects: filled)
            try check(LayoutRunner("Clip", [x]), [.blocked16], expects: filled)
            let other = try LayoutRunner.ramp([2, channels, 5, 3], 2)
            for name in ["Add", "Sub", "Mul"] { try check(LayoutRunner(name, [x, other]), [.blocked16, .blocked16]) }
            try check(LayoutRunner("Div", [x, other]), [.blocked16, .blocked16], expects: filled)
            for gate in [[1, channels, 1, 1], [2, channels, 1, 1]] {
                try check(LayoutRunner("Mul", [x, try LayoutRunner.ramp(gate, 3)]), [.blocked16, .plain])
                try check(LayoutRunner("Sub", [try LayoutRunner.ramp(gate, 3), x]), [.plain, .blocked16])
            }
            try check(LayoutRunner("Mul", [x, try LayoutRunner.ramp([1], 3)]), [.blocked16, .plain], expects: filled)
            try check(
                LayoutRunner("Add", [x, try LayoutRunner.ramp([5, 3], 3)]), [.blocked16, .plain], expects: .plain)
        }
    }
}
