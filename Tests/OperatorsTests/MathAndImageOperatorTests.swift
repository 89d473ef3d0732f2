import GraphIR
import TensorCore
import Testing

@testable import Operators

/// Sum and ramp-weighted sum of each result against the same expression in PyTorch 2, float64:
/// `ramp(n, k)[i] = ((7919 i + 104729 k) % 2003) / 1001.5 - 1`, x = ramp(2·20·9·7, 1) as [2, 20, 9, 7], weights ramp(…, 2),
/// bias ramp(24, 3); the second figure is `(y.flatten() * ramp(y.numel(), 9)).sum()`.
@Suite struct MathAndImageOperatorTests {
    static let x = Result { try LayoutRunner.ramp([2, 20, 9, 7], 1) }

    /// Float32 rounding: terms are at most a few units, so the sum's error stays far under one part in 10^4 of its size.
    private func expect(_ values: [Float], _ count: Int, _ sum: Double, _ weighted: Double) throws {
        #expect(values.count == count)
        let ramp = try LayoutRunner.ramp([max(values.count, 1)], 9).array(of: Float.self)
        let scale = values.reduce(1.0) { $0 + Double($1.magnitude) } * 2e-6
        #expect(abs(values.reduce(0.0) { $0 + Double($1) } - sum) < scale)
        #expect(abs(zip(values, ramp).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } - weighted) < scale)
    }

    @Test func convolutions() throws {
        let x = try Self.x.get()
        let (w, b) = (try LayoutRunner.ramp([24, 20, 3, 3], 2), try LayoutRunner.ramp([24], 3))
        let pads: Attribute = .ints([1, 1, 1, 1])
        try expect(
            LayoutRunner("Conv", [x, w, b], ["pads": pads, "strides": .ints([2, 2])]).plain(), 960, 61.242816753402124,
            -26.61680140991417)
        let wide = try LayoutRunner.ramp([2, 24, 9, 7], 4)
        try expect(
            LayoutRunner(
                "Conv", [x, w, b, wide],
                ["pads": pads, "activation": .string(Array("LeakyRelu".utf8)), "activation_alpha": .float(0.1)],
                domain: Domains.internal, opset: 1
            ).plain(), 3024, 2926.7448634337557, -196.92552542974585)
        try expect(
            LayoutRunner(
                "Conv", [x, w, b], ["pads": pads, "channels_last": .int(1)], domain: Domains.internal, opset: 1
            ).plain(),
            3024, 195.97356336937446, -59.818449636712515)
        try expect(
            LayoutRunner("Conv", [x, LayoutRunner.ramp([20, 1, 3, 3], 5)], ["pads": pads, "group": .int(20)]).plain(),
            2520,
            -36.987211643842286, 113.6478073501633)
        try expect(
            LayoutRunner(
                "Conv", [x, LayoutRunner.ramp([24, 5, 3, 3], 6)],
                ["pads": .ints([2, 2, 2, 2]), "dilations": .ints([2, 2]), "group": .int(4)]
            ).plain(), 3024, 3.4111399052195472, -82.1904100088002)
        try expect(
            LayoutRunner(
                "ConvTranspose", [x, LayoutRunner.ramp([20, 6, 3, 3], 7)],
                ["pads": pads, "strides": .ints([2, 2]), "output_padding": .ints([1, 1])]
            ).plain(), 3024, 12.83055546485563, -0.4630419506260779)
    }

    @Test func pools() throws {
        let x = try Self.x.get()
        let window: [String: Attribute] = [
            "kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]), "ceil_mode": .int(1),
        ]
        try expect(LayoutRunner("MaxPool", [x], window).plain(), 800, 551.2591113330004, -3.270851087323082)
        try expect(
            LayoutRunner("AveragePool", [x], window.merging(["count_include_pad": .int(1)]) { $1 }).plain(), 800,
            -0.08775725300937598, -1.6155072876899776)
        try expect(LayoutRunner("GlobalAveragePool", [x]).plain(), 40, -0.008273304329220438, 0.008648756493040963)
    }

    @Test func resizes() throws {
        let x = try Self.x.get()
        func resized(_ mode: String, _ height: Int64, _ width: Int64, antialias: Int = 0) throws -> [Float] {
            let none = try Tensor([Float](), dims: [0])
            let sizes = try Tensor([2, 20, height, width], dims: [4])
            return try LayoutRunner(
                "Resize", [x, none, none, sizes],
                ["mode": .string(Array(mode.utf8)), "antialias": .int(antialias), "exclude_outside": .int(antialias)]
            ).plain()
        }
        try expect(resized("linear", 17, 13), 8840, -1.0811475095049623, 3.3981506352868838)
        try expect(resized("cubic", 17, 13), 8840, -2.1163669272832966, 6.781216970839407)
        try expect(resized("linear", 5, 4, antialias: 1), 800, -0.27143647473967114, -7.426749458840163)
    }

    @Test func products() throws {
        let (a, b) = (try LayoutRunner.ramp([3, 4, 5], 1), try LayoutRunner.ramp([5, 6], 2))
        try expect(LayoutRunner("MatMul", [a, b]).plain(), 72, 5.034627788721313, -5.999926354402546)
        let equation: Attribute = .string(Array("bij,jk->bik".utf8))
        try expect(
            LayoutRunner("Einsum", [a, b], ["equation": equation]).plain(), 72, 5.034627788721312, -5.999926354402543)
        try expect(
            LayoutRunner("Einsum", [a], ["equation": .string(Array("...ij->...ji".utf8))]).plain(), 60,
            -0.03494757863205322,
            0.6082957441022688)
    }

    @Test func activations() throws {
        try expect(
            LayoutRunner("Silu", [Self.x.get()], domain: Domains.internal, opset: 1).plain(), 2520, 199.93004336816117,
            -166.1977213555632)
    }

    /// As BLAS has it, and as ONNX Runtime computes it: what is multiplied by a beta of 0 is not read.
    @Test func betaOfZero() throws {
        let (a, b) = (try Tensor([1, 2] as [Float], dims: [1, 2]), try Tensor([3, 4] as [Float], dims: [2, 1]))
        let c = try Tensor([Float.nan], dims: [1])
        #expect(try LayoutRunner("Gemm", [a, b, c], ["beta": .float(0)]).plain() == [11])
    }

    /// x > alpha is false for NaN.
    @Test func thresholdsOfNaN() throws {
        let runner = NodeRunner("ThresholdedRelu", ["alpha": .float(0.5)])
        let single = try runner.run(try Tensor([Float.nan, 1, 0.5, -1], dims: [4]))[0]
        #expect(try single?.array(of: Float.self) == [0, 1, 0, 0])
        let double = try runner.run(try Tensor([Double.nan, 1, 0.5, -1], dims: [4]))[0]
        #expect(try double?.array(of: Double.self) == [0, 1, 0, 0])
    }

    /// What the internal operators know as a fused activation or bias means nothing in a model file.
    @Test func attributesThatPassesSetAreNoBusinessOfFiles() throws {
        let (a, b) = (try Tensor([-1, 2] as [Float], dims: [1, 2]), try Tensor([3, -4] as [Float], dims: [2, 1]))
        for name in ["MatMul", "Gemm"] {
            let relu: [String: Attribute] = ["activation": .string(Array("Relu".utf8))]
            #expect(try LayoutRunner(name, [a, b], relu).plain() == [-11])
        }
        #expect(NodeRunner("MatMul").fault(a, b, try floats([1]))?.code == .graph)
    }
}
