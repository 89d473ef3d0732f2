import GraphIR
import TensorCore

/// Where a stored value lives: at a byte offset inside a root, the memory of one or several values.
///
/// Views and in-place results share a root with their source; the inputs of a Concat lie inside the root of its output.
struct StorageMap {
    /// What gives a root its memory.
    enum Owner: Equatable {
        case arena
        case input(Int)
        case output(Int)
        case constant(Int)
    }

    struct Root {
        var owner: Owner
        var byteCount: Int
        /// First and last step that touches it.
        var firstStep = Int.max
        var lastStep = -1
    }

    private(set) var roots: [Root] = []
    /// Parent root and offset inside it, for roots that were merged into another.
    private var parents: [(root: Int, offset: Int)?] = []
    /// The root made for each value; `nil` for values without memory.
    private var rootOfValue: [Int?]

    init(valueCount: Int) { rootOfValue = [Int?](repeating: nil, count: valueCount) }

    mutating func addRoot(for value: ValueID? = nil, owner: Owner, byteCount: Int) -> Int {
        roots.append(Root(owner: owner, byteCount: byteCount))
        parents.append(nil)
        if let value { rootOfValue[value.index] = roots.count - 1 }
        return roots.count - 1
    }

    /// The outermost root of a value and the value's offset in it.
    func place(of value: ValueID) -> (root: Int, offset: Int)? {
        guard let root = rootOfValue[value.index] else { return nil }
        return resolve(root)
    }

    func resolve(_ root: Int) -> (root: Int, offset: Int) {
        var place = (root: root, offset: 0)
        while let parent = parents[place.root] { place = (parent.root, place.offset + parent.offset) }
        return place
    }

    /// Points every merged root straight at its outermost one, so that long chains of merges are walked once only.
    mutating func flatten() {
        // An in-place result merges into a later root: from the end, each chain is at most two links long.
        for root in roots.indices.reversed() where parents[root] != nil { parents[root] = resolve(root) }
    }

    func isMerged(_ root: Int) -> Bool { parents[root] != nil }

    /// Puts `root` into `target` at `offset`; both must be outermost.
    mutating func merge(_ root: Int, into target: Int, at offset: Int) {
        parents[root] = (target, offset)
        roots[target].firstStep = min(roots[target].firstStep, roots[root].firstStep)
        roots[target].lastStep = max(roots[target].lastStep, roots[root].lastStep)
    }

    /// Whether a value is alone responsible for an arena root: it starts at its first byte and fills it.
    func ownsArenaRoot(_ value: ValueID, byteCount: Int) -> Int? {
        guard let (root, offset) = place(of: value), offset == 0, roots[root].owner == .arena,
            roots[root].byteCount == byteCount
        else { return nil }
        return root
    }

    mutating func touch(_ root: Int, at step: Int) {
        let root = resolve(root).root
        roots[root].firstStep = min(roots[root].firstStep, step)
        roots[root].lastStep = max(roots[root].lastStep, step)
    }

    mutating func setOwner(_ root: Int, _ owner: Owner) { roots[root].owner = owner }
}
