import TensorCore

/// Decision trees, checked once so that no walk loops or leaves the arrays.
///
/// A place in a tree is the index of a branch, or, negative, the complement of the index of a leaf.
struct DecisionForest: Sendable {
    /// Raw values are those of `nodes_modes` of TreeEnsemble.
    enum Mode: UInt8 {
        case lessOrEqual, less, greaterOrEqual, greater, equal, notEqual, member
    }

    struct Branch: Sendable {
        var feature: Int32
        var mode: Mode
        /// Where NaN goes.
        var missingIsTrue: Bool
        var threshold: Double
        /// Of `member`: a range of `members`, ascending.
        var members: Range<Int32> = 0..<0
        var onTrue: Int32
        var onFalse: Int32
    }

    struct Vote: Sendable {
        var target: Int32
        var weight: Double
    }

    let roots: [Int32]
    let branches: [Branch]
    /// The votes of each leaf.
    let leaves: [Range<Int32>]
    let votes: [Vote]
    let members: [Double]
    /// One more than the highest feature that a branch asks for.
    let featureCount: Int

    /// - Throws: `graph` when a place, a feature or a target is out of range, or branches form a cycle.
    init(
        roots: [Int32], branches: [Branch], leaves: [Range<Int32>], votes: [Vote], members: [Double], targets: Int,
        at place: some NodePlace
    ) throws(SardonyxError) {
        func require(_ place: Int32, _ role: String) throws(SardonyxError) {
            guard place >= 0 ? place < branches.count : ~place < leaves.count else {
                throw fault("\(role) is out of range", got: "\(place >= 0 ? place : ~place)")
            }
        }
        func fault(_ what: String, got: String) -> SardonyxError {
            place.error(.graph, what, got: got, allowed: nil, hint: nil)
        }
        var highest: Int32 = -1
        for (index, branch) in branches.enumerated() {
            try require(branch.onTrue, "the true child of node \(index)")
            try require(branch.onFalse, "the false child of node \(index)")
            guard branch.feature >= 0 else { throw fault("feature of node \(index)", got: "\(branch.feature)") }
            highest = max(highest, branch.feature)
        }
        for root in roots { try require(root, "a root") }
        if let vote = votes.first(where: { $0.target < 0 || $0.target >= targets }) {
            throw place.error(
                .graph, "target or class of a leaf", got: "\(vote.target)", allowed: "0 to \(targets - 1)", hint: nil)
        }
        guard DecisionForest.isAcyclic(branches) else {
            throw place.error(.graph, "the nodes of a tree form a cycle", got: nil, allowed: nil, hint: nil)
        }
        self.roots = roots
        self.branches = branches
        self.leaves = leaves
        self.votes = votes
        self.members = members
        featureCount = Int(highest) + 1
    }

    /// Takes away branches that no other one leads to until none is left, or only cycles are.
    private static func isAcyclic(_ branches: [Branch]) -> Bool {
        var parents = [Int](repeating: 0, count: branches.count)
        for branch in branches {
            for child in [branch.onTrue, branch.onFalse] where child >= 0 { parents[Int(child)] += 1 }
        }
        var free = parents.indices.filter { parents[$0] == 0 }
        var taken = 0
        while let index = free.popLast() {
            taken += 1
            for child in [branches[index].onTrue, branches[index].onFalse] where child >= 0 {
                parents[Int(child)] -= 1
                if parents[Int(child)] == 0 { free.append(Int(child)) }
            }
        }
        return taken == branches.count
    }

    /// The leaf that a row of features ends in.
    private func leaf(of root: Int32, _ row: UnsafeBufferPointer<Double>) -> Int {
        var place = root
        while place >= 0 {
            let branch = branches[Int(place)]
            place = isTrue(branch, row[Int(branch.feature)]) ? branch.onTrue : branch.onFalse
        }
        return Int(~place)
    }

    private func isTrue(_ branch: Branch, _ value: Double) -> Bool {
        if value.isNaN { return branch.missingIsTrue }
        switch branch.mode {
        case .lessOrEqual: return value <= branch.threshold
        case .less: return value < branch.threshold
        case .greaterOrEqual: return value >= branch.threshold
        case .greater: return value > branch.threshold
        case .equal: return value == branch.threshold
        case .notEqual: return value != branch.threshold
        case .member:
            var (low, high) = (Int(branch.members.lowerBound), Int(branch.members.upperBound))
            while low < high {
                let middle = (low + high) / 2
                if members[middle] == value { return true }
                if members[middle] < value { low = middle + 1 } else { high = middle }
            }
            return false
        }
    }

    // MARK: Scores

    /// How the votes for a target become one score; in the order of the numbers of TreeEnsemble.
    enum Aggregate: String, CaseIterable {
        case average = "AVERAGE", sum = "SUM", minimum = "MIN", maximum = "MAX"
    }

    /// The score of each target for a row of at least `featureCount` features; 0 where no leaf votes.
    /// - Parameter scores: one a target, zero at first.
    func score(
        _ row: UnsafeBufferPointer<Double>, _ aggregate: Aggregate, _ scores: UnsafeMutableBufferPointer<Double>
    ) {
        let extreme = aggregate == .minimum || aggregate == .maximum
        // Not a number: no vote so far.
        if extreme { scores.update(repeating: .nan) }
        for root in roots {
            let range = leaves[leaf(of: root, row)]
            for vote in votes[Int(range.lowerBound)..<Int(range.upperBound)] {
                let target = Int(vote.target)
                if !extreme {
                    scores[target] += vote.weight
                } else if !(aggregate == .minimum ? scores[target] <= vote.weight : scores[target] >= vote.weight) {
                    scores[target] = vote.weight
                }
            }
        }
        for target in scores.indices {
            if extreme, scores[target].isNaN { scores[target] = 0 }
            if aggregate == .average { scores[target] /= Double(max(roots.count, 1)) }
        }
    }

    /// About how many operations the score of a row takes.
    var cost: Int { roots.count * 16 }
}
