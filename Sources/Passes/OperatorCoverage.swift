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

    /// The table has fewer operators than this: more names come from a damaged or hostile file only.
    private static let mostListed = 250

    /// Every missing operator with its count, subgraphs included, in the order of first use.
    package static func gaps(in model: ModelGraph) -> [Gap] {
        var counts: [(domain: String, name: String, count: Int)] = []
        var positions: [String: [String: Int]] = [:]
        var pending = [model.graph]
        while let graph = pending.popLast() {
            for node in graph.nodes {
                pending += node.subgraphs
                let opset = model.opsets[node.domain] ?? 1
                guard OperatorTable.entry(domain: node.domain, name: node.opType, opset: opset) == nil else { continue }
                if let position = positions[node.domain]?[node.opType] {
                    counts[position].count += 1
                } else {
                    positions[node.domain, default: [:]][node.opType] = counts.count
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
        var list = gaps.prefix(mostListed).map { gap in
            let name = Domains.qualified(gap.name, in: gap.domain)
            return "\(Name(name)) (opset \(gap.opset)) ×\(gap.count)"
        }
        if gaps.count > mostListed { list.append("\(gaps.count - mostListed) more") }
        throw SardonyxError(
            .unsupported, "model",
            "\(gaps.count == 1 ? "an operator is" : "\(gaps.count) operators are") not available",
            got: list.joined(separator: ", "),
            hint: "Nearest to \(first.name): \(OperatorTable.nearestNames(to: first.name).joined(separator: ", "))."
                + " `sardonyx inspect` still opens the model")
    }
}
