import Execution
import Foundation
import GraphIR
import Sardonyx

/// How much one output of two models differs.
struct OutputDifference: Encodable {
    let output: String
    /// The greatest difference; `nil` where shapes, element types or places of NaN differ.
    let greatest: Double?
    /// In terms of the greatest magnitude of the first model's output.
    let relative: Double?

    /// What rounding explains in networks of float32, see `tools/parity`.
    static let allowed = 1e-4

    var isTooLarge: Bool { relative.map { $0 > Self.allowed } ?? true }

    var text: String {
        guard let greatest, let relative else { return "\(output): differs in shape, type or NaN" }
        let numbers = String(format: "%.3g, %.3g of the greatest", greatest, relative)
        return "\(output): greatest difference \(numbers)\(isTooLarge ? ": more than \(Self.allowed) allowed" : "")"
    }
}

/// Runs a model and its rewritten form, both without passes, on the same random inputs.
struct RewrittenCheck {
    let seed: UInt64
    let shapes: [ShapeFlag]

    /// - Throws: what running throws, `usage` for inputs whose shape is open.
    func differences(
        _ original: ModelGraph, _ rewritten: ModelGraph, _ deadline: TimeoutFlag.Deadline
    ) throws(SardonyxError) -> [OutputDifference] {
        let dims = Dictionary(shapes.map { (Name($0.name), $0.dims) }) { first, _ in first }
        let random = RandomInputs(seed: seed, byteLimit: SystemLimits.defaultBudget, option: "--check-shape")
        let model = try Model(content: original)
        let inputs = try random.tensors(for: model.inputs, shapes: dims)
        let before = try run(model, inputs, deadline)
        let after = try run(try Model(content: rewritten), inputs, deadline)
        var differences: [OutputDifference] = []
        for (output, (old, new)) in zip(model.outputs, zip(before, after)) {
            differences.append(try Self.difference(output.name, old, new))
        }
        return differences
    }

    private func run(
        _ model: Model, _ inputs: [Name: Tensor], _ deadline: TimeoutFlag.Deadline
    ) throws(SardonyxError) -> [Tensor] {
        let session = try model.session(.unoptimized, limits: deadline.limits)
        return try session.run(byName: inputs, options: deadline.limits)
    }

    private static func difference(_ name: String, _ a: Tensor, _ b: Tensor) throws(SardonyxError) -> OutputDifference {
        guard let (difference, magnitude) = try TensorComparison.greatestDifference(a, b) else {
            return OutputDifference(output: name, greatest: nil, relative: nil)
        }
        let relative = difference == 0 ? 0 : difference / max(magnitude, .leastNormalMagnitude)
        return OutputDifference(output: name, greatest: difference, relative: relative)
    }
}
