import GraphIR
import Sardonyx

/// What takes the place of a value whose node is removed.
enum Replacement: String, CaseIterable {
    /// A new input of the graph.
    case input
    /// What the value was in a run.
    case constant
    /// A value of the same type that the removed nodes read.
    case bypass
}

extension Graph {
    /// The graph without some nodes: what they made comes from elsewhere, and what they alone read becomes an output, so
    /// that all other nodes stay.
    /// - Parameter recorded: values in a run, by name.
    /// - Returns: `nil` where that makes no graph: nothing would be left, a type is not known, or there is no replacement.
    func removing(_ removed: Set<Int>, _ replacement: Replacement, recorded: [Name: Tensor]) -> Graph? {
        let capturable = capturableNames()
        let kept = nodes.indices.filter { !removed.contains($0) }
        var (read, made) = (Set<ValueID>(), Set<ValueID>())
        for index in kept {
            read.formUnion(nodes[index].dependencies(capturable))
            made.formUnion(nodes[index].outputs.compactMap { $0 })
        }
        var smaller = self
        smaller.nodes = kept.map { nodes[$0] }
        smaller.outputs = outputs.filter { made.contains($0) }
        var needed: [ValueID] = []
        for index in removed.sorted() {
            for id in nodes[index].dependencies(capturable)
            where made.contains(id) && !read.contains(id) && !smaller.outputs.contains(id) {
                smaller.outputs.append(id)
            }
            needed += nodes[index].outputs.compactMap { $0 }.filter { read.contains($0) }
        }
        guard !kept.isEmpty, !smaller.outputs.isEmpty,
            smaller.replace(needed, replacement, of: self, removed, recorded)
        else { return nil }
        smaller.removeDeadCode()
        let used = Set(smaller.nodes.flatMap { $0.dependencies(capturable) })
        smaller.inputs = smaller.inputs.filter { used.contains($0) }
        guard (smaller.inputs + smaller.outputs).allSatisfy({ smaller[$0].type?.dtype != nil }) else { return nil }
        smaller.compactValues()
        return smaller
    }

    /// - Returns: whether there is a replacement for each.
    private mutating func replace(
        _ ids: [ValueID], _ replacement: Replacement, of whole: Graph, _ removed: Set<Int>, _ recorded: [Name: Tensor]
    ) -> Bool {
        switch replacement {
        case .input:
            for id in ids {
                // Extents that nobody knows would keep others from running the part.
                if self[id].type?.shape?.knownDims == nil, let tensor = recorded[self[id].name] {
                    self[id].type = Constant(tensor).type
                }
                self[id].constant = nil
            }
            inputs += ids
        case .constant:
            for id in ids {
                guard let tensor = recorded[self[id].name] else { return false }
                self[id].constant = Constant(tensor)
                self[id].type = self[id].constant?.type
            }
        case .bypass:
            let producers = whole.producers()
            var patch = GraphPatch(self)
            for id in ids {
                guard let other = whole.equal(to: id, producers, removed) else { return false }
                patch.replaceUses(of: id, with: other)
            }
            do throws(SardonyxError) { try patch.apply(to: &self) } catch { return false }
        }
        return true
    }

    /// A value of the same known type that the removed nodes before `id` read and do not make.
    private func equal(to id: ValueID, _ producers: [Int?], _ removed: Set<Int>) -> ValueID? {
        guard let type = self[id].type, type.shape?.knownDims != nil else { return nil }
        var id = id
        while let producer = producers[id.index], removed.contains(producer) {
            guard let input = nodes[producer].inputs.compactMap({ $0 }).first(where: { self[$0].type == type }) else {
                return nil
            }
            id = input
        }
        return id
    }
}
