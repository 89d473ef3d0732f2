/// The edges of a graph, cut into the parts that lie on each level of nested groups.
struct GraphWires {
    /// What one value does on one level.
    struct Wire {
        let net: Int
        let source: GraphLayout.End
        var targets: [GraphLayout.End] = []
    }

    struct Level {
        var wires: [Wire] = []
        /// Nets that come in from above and go out below.
        var entering: [Int] = []
        var leaving: [Int] = []
        fileprivate var indexOfNet: [Int: Int] = [:]
    }

    /// By group.
    private(set) var levels: [Level]

    init(_ nested: GraphGroups, _ edges: [GraphLayout.Edge]) {
        levels = [Level](repeating: Level(), count: nested.groups.count)
        for edge in Set(edges).sorted(by: { ($0.from, $0.value, $0.to) < ($1.from, $1.value, $1.to) }) {
            // The groups around the source, innermost first, and which of their members it lies in.
            var around: [(group: Int, member: GraphLayout.End)] = []
            var member = GraphLayout.End.item(edge.from)
            var group = Optional(nested.groupOfItem[edge.from])
            while let current = group {
                around.append((current, member))
                member = .group(current)
                group = nested.groups[current].parent
            }
            var inner = GraphLayout.End.item(edge.to)
            var current = nested.groupOfItem[edge.to]
            while !around.contains(where: { $0.group == current }) {
                add(edge.value, in: current, from: .port, to: inner)
                inner = .group(current)
                guard let parent = nested.groups[current].parent else { break }
                current = parent
            }
            for (group, member) in around {
                if group == current {
                    add(edge.value, in: group, from: member, to: inner)
                    break
                }
                add(edge.value, in: group, from: member, to: .port)
            }
        }
    }

    private mutating func add(_ net: Int, in group: Int, from source: GraphLayout.End, to target: GraphLayout.End) {
        let index: Int
        if let known = levels[group].indexOfNet[net] {
            index = known
        } else {
            index = levels[group].wires.count
            levels[group].indexOfNet[net] = index
            levels[group].wires.append(Wire(net: net, source: source))
            if source == .port { levels[group].entering.append(net) }
        }
        guard !levels[group].wires[index].targets.contains(target) else { return }
        levels[group].wires[index].targets.append(target)
        if target == .port { levels[group].leaving.append(net) }
    }
}
