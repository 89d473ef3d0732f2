import GraphIR
import Operators
import TensorCore

/// Which operators of a model the table lacks.
package enum OperatorCoverage {
    package struct Gap: Sendable, Hashable {
        package let domain: String
        package let name: String
        package let opset: Int
        package let count: Int
    }

    /// Every missing operator with its count, subgraphs included, in the order of first use.
    package static func gaps(in model: ModelGraph) -> [Gap] {
        var counts: [(domain: String, name: String, count: Int)] = []
        var pending = [model.graph]
        while let graph = pending.popLast() {
            for node in graph.nodes {
                pending += node.subgraphs
                let opset = model.opsets[node.domain] ?? 1
                guard OperatorTable.entry(domain: node.domain, name: node.opType, opset: opset) == nil else { continue }
                if let index = counts.firstIndex(where: { $0.domain == node.domain && $0.name == node.opType }) {
                    counts[index].count += 1
                } else {
                    counts.append((node.domain, node.opType, 1))
                }
            }
        }
        return counts.map {
            Gap(domain: $0.domain, name: $0.name, opset: model.opsets[$0.domain] ?? 1, count: $0.count)
        }
    }

    /// - Throws: `unsupported` that lists all missing operators, their counts and the nearest names.
    package static func check(_ model: ModelGraph) throws(SardonyxError) {
        let gaps = gaps(in: model)
        guard let first = gaps.first else { return }
        let list = gaps.map { gap in
            let name = gap.domain.isEmpty ? gap.name : "\(gap.domain).\(gap.name)"
            return "\(name) (opset \(gap.opset)) ×\(gap.count)"
        }
        throw SardonyxError(
            .unsupported, "model",
            "\(gaps.count == 1 ? "an operator is" : "\(gaps.count) operators are") not available",
            got: list.joined(separator: ", "),
            hint: "Nearest to \(first.name): \(OperatorTable.nearestNames(to: first.name).joined(separator: ", "))."
                + " `sardonyx inspect` still opens the model")
    }
}
