import GraphIR
import TensorCore

/// Which nodes with constant inputs are evaluated beforehand.
package struct FoldingRule: Sendable {
    /// Results, and inputs, larger than this are left.
    package var largestByteCount: Int
    /// Results that take so many bytes more than their inputs are left.
    package var largestGrowth: Int
    /// Operators that are left, whatever they read.
    package var kept: Set<String>

    /// For a run: what is folded is held in memory.
    package static let execution = FoldingRule(largestByteCount: 16 << 20, largestGrowth: .max, kept: [])

    /// For a file, which shall not grow by more than `largestGrowth` a node; quantized weights stay quantized.
    package static func file(largestGrowth: Int) -> FoldingRule {
        FoldingRule(
            largestByteCount: 64 << 20, largestGrowth: largestGrowth,
            kept: ["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"])
    }

    func allows(resultByteCount: Int, inputByteCounts: [Int]) -> Bool {
        let given = CheckedSize.sum(inputByteCounts) ?? .max
        return max(resultByteCount, inputByteCounts.max() ?? 0) <= largestByteCount
            && resultByteCount - given <= largestGrowth
    }
}

extension Node {
    /// Whether every run of the node may give other results.
    var drawsNumbers: Bool {
        switch opType {
        case "Bernoulli", "Multinomial": true
        case "Dropout": inputs.count > 2
        default: opType.hasPrefix("Random")
        }
    }
}
