import GraphIR
import Operators
import TensorCore

/// Writing a model in another version of the standard's operator set, where every operator means the same in both.
///
/// No operator is rewritten: a model with one that changed in between is refused, with what changed.
package enum OpsetConversion {
    /// What a version did to an operator.
    private enum Change {
        /// It takes more element types or kinds of values.
        case types(Set<String>)
        /// It adds what nodes of the version before do without.
        case addition(String)
        /// It means something else.
        case meaning(String)
    }

    /// - Parameter version: of ai.onnx.
    /// - Throws: `unsupported` with every operator that changed and how, `usage` for a version that the standard does not
    ///   have.
    package static func convert(_ model: inout ModelGraph, to version: Int) throws(SardonyxError) {
        let known = 7...OperatorTable.newestOpset
        guard known.contains(version) else {
            throw SardonyxError(
                .usage, "--opset", "version", got: "\(version)", allowed: "\(known.lowerBound) to \(known.upperBound)")
        }
        guard let old = model.opsets[Domains.onnx] else {
            throw SardonyxError(.usage, "--opset", "the model has no operator of ai.onnx")
        }
        guard old != version else { return }
        var faults: [String: Int] = [:]
        collect(model.graph, from: old, to: version, &faults)
        guard faults.isEmpty else {
            let list = faults.sorted { $0.key < $1.key }.map { "\($0.key) ×\($0.value)" }
            let shown = list.prefix(20).joined(separator: "; ")
            throw SardonyxError(
                .unsupported, "--opset \(version)", "operators that are not the same in version \(old)",
                got: shown + (list.count > 20 ? "; \(list.count - 20) more" : ""),
                hint: "A version in which they are the same can be written")
        }
        model.opsets[Domains.onnx] = version
    }

    private static func collect(_ graph: Graph, from old: Int, to new: Int, _ faults: inout [String: Int]) {
        for node in graph.nodes {
            if node.domain == Domains.onnx, let fault = fault(node, graph, from: old, to: new) {
                faults[fault, default: 0] += 1
            }
            for subgraph in node.subgraphs { collect(subgraph, from: old, to: new, &faults) }
        }
    }

    /// What keeps a node from meaning the same; `nil` when nothing does.
    private static func fault(_ node: Node, _ graph: Graph, from old: Int, to new: Int) -> String? {
        guard let history = histories[node.opType] else { return "\(node.opType): not in the standard" }
        let (low, high) = (min(old, new), max(old, new))
        if history.first > low { return "\(node.opType): new in version \(history.first)" }
        for (version, change) in history.changes where version > low && version <= high {
            switch change {
            case .meaning(let what): return "\(node.opType): version \(version): \(what)"
            case .addition(let what) where new < old: return "\(node.opType): version \(version): \(what)"
            case .types(let added) where new < old:
                let used = kinds(of: node, in: graph)
                guard let used else {
                    return "\(node.opType): version \(version) takes more types, and not all are known"
                }
                let taken = used.intersection(added)
                if !taken.isEmpty {
                    return "\(node.opType): \(taken.sorted().joined(separator: ", ")) since version \(version)"
                }
            default: break
            }
        }
        return nil
    }

    /// Element types and kinds of what a node reads and makes; `nil` when one is not known.
    private static func kinds(of node: Node, in graph: Graph) -> Set<String>? {
        var kinds: Set<String> = []
        for case let id? in node.inputs + node.outputs {
            switch graph[id].type {
            case .tensor(let dtype, _): kinds.insert(dtype.description)
            case .sequence: kinds.insert("sequence")
            case .optional: kinds.insert("optional")
            case .map: kinds.insert("map")
            case .sparseTensor: kinds.insert("sparse_tensor")
            case nil: return nil
            }
        }
        return kinds
    }

    // MARK: The table

    private struct History {
        var first: Int
        var changes: [(version: Int, change: Change)]
    }

    /// By operator of ai.onnx.
    private static let histories: [String: History] = {
        var histories: [String: History] = [:]
        for line in OperatorHistory.table.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !parts[0].contains(".") else { continue }
            var history: History?
            for entry in parts[1].split(separator: ";") {
                let text = entry.drop { $0 == " " }
                let digits = text.prefix { $0.isASCII && $0.isNumber }
                guard let version = Int(digits) else { continue }
                let rest = text[digits.endIndex...]
                let what = String(rest.dropFirst())
                switch rest.first {
                case "+":
                    let types = Set(what.split(separator: " ").map(String.init))
                    history?.changes.append((version, .types(types)))
                case "^": history?.changes.append((version, .addition(what)))
                case "~": history?.changes.append((version, .meaning(what)))
                default: history = History(first: version, changes: [])
                }
            }
            histories[String(parts[0])] = history
        }
        return histories
    }()
}
