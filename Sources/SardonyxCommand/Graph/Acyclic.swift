/// Orders and cycles of directed graphs, without recursion.
enum Acyclic {
    /// A topological order; vertices on a cycle come last, by their numbers.
    static func order(_ targets: [[Int]]) -> [Int] {
        var missing = [Int](repeating: 0, count: targets.count)
        for list in targets { for target in list { missing[target] += 1 } }
        var order = targets.indices.filter { missing[$0] == 0 }
        var next = 0
        while next < order.count {
            for target in targets[order[next]] {
                missing[target] -= 1
                if missing[target] == 0 { order.append(target) }
            }
            next += 1
        }
        return order + targets.indices.filter { missing[$0] > 0 }
    }

    /// Strongly connected components (Tarjan 1972).
    static func components(_ targets: [[Int]]) -> [[Int]] {
        var index = [Int](repeating: -1, count: targets.count)
        var low = index
        var isOnStack = [Bool](repeating: false, count: targets.count)
        var stack: [Int] = []
        var components: [[Int]] = []
        var count = 0
        for start in targets.indices where index[start] < 0 {
            var walk: [(vertex: Int, next: Int)] = [(start, 0)]
            while let (vertex, next) = walk.last {
                if next == 0 {
                    index[vertex] = count
                    low[vertex] = count
                    count += 1
                    stack.append(vertex)
                    isOnStack[vertex] = true
                }
                if next < targets[vertex].count {
                    walk[walk.count - 1].next += 1
                    let target = targets[vertex][next]
                    if index[target] < 0 {
                        walk.append((target, 0))
                    } else if isOnStack[target] {
                        low[vertex] = min(low[vertex], index[target])
                    }
                    continue
                }
                walk.removeLast()
                if let (parent, _) = walk.last { low[parent] = min(low[parent], low[vertex]) }
                guard low[vertex] == index[vertex] else { continue }
                var component: [Int] = []
                while let top = stack.popLast() {
                    isOnStack[top] = false
                    component.append(top)
                    if top == vertex { break }
                }
                components.append(component)
            }
        }
        return components
    }
}
