/// The boxes of a drawing: items nested by scope, so that on every level the members, with groups as one node each, form
/// a graph without cycles.
///
/// Scopes alone do not promise that: a module that is called twice has other nodes between its own. Such a group falls
/// into parts, and where parts do not help, it goes.
struct GraphGroups {
    enum Member: Hashable {
        case item(Int)
        case group(Int)
    }

    struct Group {
        let title: String
        let kind: GraphScope.Kind
        let parent: Int?
        var members: [Member] = []
    }

    /// The first is the whole drawing.
    private(set) var groups = [Group(title: "", kind: .module, parent: nil)]
    /// The group of each item.
    private(set) var groupOfItem: [Int]

    private let scopes: [[GraphScope]]
    private let targets: [[Int]]
    private let order: [Int]

    /// Fewer items are no group.
    private static let fewestItems = 3

    /// - Parameters:
    ///   - scopes: by item.
    ///   - edges: without cycles.
    init(scopes: [[GraphScope]], edges: [(from: Int, to: Int)]) {
        self.scopes = scopes
        var targets = [[Int]](repeating: [], count: scopes.count)
        for edge in edges { targets[edge.from].append(edge.to) }
        self.targets = targets
        self.order = Acyclic.order(targets)
        self.groupOfItem = [Int](repeating: 0, count: scopes.count)
        var pending: [(group: Int, bucket: Bucket)] = [
            (0, Bucket(title: "", kind: .module, depth: 0, items: Array(scopes.indices)))
        ]
        while let (group, bucket) = pending.popLast() {
            let parts = acyclicParts(bucket)
            for part in parts {
                if part.depth == nil, let item = part.items.first {
                    groups[group].members.append(.item(item))
                    groupOfItem[item] = group
                } else if part.depth != nil {
                    groups.append(Group(title: part.title, kind: part.kind, parent: group))
                    groups[group].members.append(.group(groups.count - 1))
                    pending.append((groups.count - 1, part))
                }
            }
        }
    }

    /// Items that belong together on a level.
    private struct Bucket {
        let title: String
        let kind: GraphScope.Kind
        /// How many components of their scopes are used up; `nil` for a single item.
        let depth: Int?
        let items: [Int]

        init(title: String, kind: GraphScope.Kind, depth: Int, items: [Int]) {
            (self.title, self.kind, self.depth, self.items) = (title, kind, depth, items)
        }

        init(_ item: Int) { (title, kind, depth, items) = ("", .module, nil, [item]) }
    }

    // MARK: Buckets

    /// The members of a bucket by the next component of their scopes.
    private func divided(_ bucket: Bucket) -> [Bucket] {
        guard let depth = bucket.depth else { return [bucket] }
        var keys: [GraphScope] = []
        var buckets: [GraphScope: [Int]] = [:]
        var parts: [Bucket] = []
        for item in bucket.items {
            guard scopes[item].count > depth else {
                parts.append(Bucket(item))
                continue
            }
            let key = scopes[item][depth]
            if buckets[key] == nil { keys.append(key) }
            buckets[key, default: []].append(item)
        }
        for key in keys {
            let items = buckets[key] ?? []
            guard let first = items.first, items.count >= Self.fewestItems || holdsBodies(items, from: depth) else {
                parts += items.map { Bucket($0) }
                continue
            }
            // Scopes with one scope inside and nothing else are one.
            var (title, kind, next) = (key.title, key.kind, depth + 1)
            while scopes[first].count > next,
                items.allSatisfy({ scopes[$0].count > next && scopes[$0][next] == scopes[first][next] })
            {
                let inner = scopes[first][next].title
                title = inner.hasPrefix(title + ".") || inner == title ? inner : title + "/" + inner
                if kind == .module { kind = scopes[first][next].kind }
                next += 1
            }
            parts.append(Bucket(title: title, kind: kind, depth: next, items: items))
        }
        return parts
    }

    private func holdsBodies(_ items: [Int], from depth: Int) -> Bool {
        items.contains { scopes[$0].dropFirst(depth).contains { $0.body != nil } }
    }

    /// The members of a bucket, taken apart until they form no cycle.
    private func acyclicParts(_ bucket: Bucket) -> [Bucket] {
        var parts = divided(bucket)
        // Each round takes at least one group apart; a model where this many do not help gets no boxes here.
        for round in 0..<40 {
            let components = cyclicComponents(of: parts)
            if components.isEmpty { return parts }
            var next: [Bucket] = []
            let cyclic = Set(components.flatMap { $0 })
            let smallest = Set(components.compactMap { $0.min { parts[$0].items.count < parts[$1].items.count } })
            for (index, part) in parts.enumerated() {
                guard cyclic.contains(index), part.depth != nil else {
                    next.append(part)
                    continue
                }
                let pieces = round < 4 ? separated(part) : [part]
                // Boxes around arithmetic are the first to go.
                let goes = smallest.contains(index) || part.kind.isShapes || round >= 20
                next += pieces.count == 1 && goes ? divided(part) : pieces
            }
            parts = next
        }
        return bucket.items.map { Bucket($0) }
    }

    /// Groups of more than one member that reach each other, single items left out.
    private func cyclicComponents(of parts: [Bucket]) -> [[Int]] {
        var partOfItem: [Int: Int] = [:]
        for (index, part) in parts.enumerated() { for item in part.items { partOfItem[item] = index } }
        var edges = [Set<Int>](repeating: [], count: parts.count)
        for (item, part) in partOfItem {
            for target in targets[item] {
                if let other = partOfItem[target], other != part { edges[part].insert(other) }
            }
        }
        return Acyclic.components(edges.map { $0.sorted() }).filter { $0.count > 1 }.map { component in
            component.filter { parts[$0].depth != nil }
        }
    }

    /// A group by how often a path has left it before; then by what hangs together.
    private func separated(_ bucket: Bucket) -> [Bucket] {
        guard let depth = bucket.depth else { return [bucket] }
        let members = Set(bucket.items)
        // What nothing comes before is entered from the start.
        var visits = scopes.indices.map { members.contains($0) ? 1 : 0 }
        for item in order {
            let isInside = members.contains(item)
            for target in targets[item] {
                let enters = !isInside && members.contains(target)
                visits[target] = max(visits[target], visits[item] + (enters ? 1 : 0))
            }
        }
        // Nodes stay with the graphs inside them.
        var visitsOfBody: [Int: Int] = [:]
        let bodies = bucket.items.map { item in scopes[item].dropFirst(depth).lazy.compactMap(\.body).first }
        for (item, body) in zip(bucket.items, bodies) {
            if let body { visitsOfBody[body] = max(visitsOfBody[body] ?? 0, visits[item]) }
        }
        for (item, body) in zip(bucket.items, bodies) { if let body { visits[item] = visitsOfBody[body] ?? 0 } }
        var byVisit: [Int: [Int]] = [:]
        for item in bucket.items { byVisit[visits[item], default: []].append(item) }
        var pieces: [Bucket] = []
        for (_, items) in byVisit.sorted(by: { $0.key < $1.key }) {
            for piece in connected(items, depth) {
                if piece.count >= Self.fewestItems || holdsBodies(piece, from: depth) {
                    pieces.append(Bucket(title: bucket.title, kind: bucket.kind, depth: depth, items: piece))
                } else {
                    pieces += piece.map { Bucket($0) }
                }
            }
        }
        return pieces
    }

    private func connected(_ items: [Int], _ depth: Int) -> [[Int]] {
        var parent: [Int: Int] = Dictionary(uniqueKeysWithValues: items.map { ($0, $0) })
        func root(_ item: Int) -> Int {
            var item = item
            while let next = parent[item], next != item {
                parent[item] = parent[next]
                item = next
            }
            return item
        }
        var firstOfBody: [Int: Int] = [:]
        for item in items {
            for target in targets[item] where parent[target] != nil { parent[root(target)] = root(item) }
            guard let body = scopes[item].dropFirst(depth).lazy.compactMap(\.body).first else { continue }
            if let first = firstOfBody[body] { parent[root(item)] = root(first) } else { firstOfBody[body] = item }
        }
        return Dictionary(grouping: items, by: root).values.sorted { ($0.first ?? 0) < ($1.first ?? 0) }
    }
}
