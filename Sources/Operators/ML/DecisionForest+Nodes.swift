import GraphIR
import TensorCore

extension DecisionForest {
    /// The trees of TreeEnsembleClassifier and TreeEnsembleRegressor: nodes that are addressed by tree and node number,
    /// leaves among them, and votes that name their node.
    /// - Parameters:
    ///   - role: prefix of the attributes of the votes, `class` or `target`.
    ///   - targets: how many there are; `nil`: as many as are voted for.
    init(_ node: NodeReader, role: String, targets: Int?) throws(SardonyxError) {
        let nodes = try NodeList(node)
        var branches: [Branch] = []
        var leafCount: Int32 = 0
        var places: [Int32] = []
        for mode in nodes.modes {
            if mode == nil { leafCount += 1 }
            places.append(mode == nil ? ~(leafCount - 1) : Int32(places.count) - leafCount)
        }
        for index in nodes.modes.indices {
            guard let mode = nodes.modes[index] else { continue }
            let tree = nodes.trees[index]
            branches.append(
                Branch(
                    feature: Int32(clamping: nodes.features[index]), mode: mode,
                    missingIsTrue: nodes.missing[index] != 0, threshold: nodes.values[index],
                    onTrue: places[try nodes.position(tree, nodes.onTrue[index], node)],
                    onFalse: places[try nodes.position(tree, nodes.onFalse[index], node)]))
        }
        var roots: [Int32] = []
        var known = Set<Int>()
        for (index, tree) in nodes.trees.enumerated() where known.insert(tree).inserted { roots.append(places[index]) }
        let (votes, leaves) = try DecisionForest.votes(
            node, role: role, leafCount: Int(leafCount)
        ) { (tree, number) throws(SardonyxError) in
            let place = places[try nodes.position(tree, number, node)]
            return place < 0 ? Int(~place) : nil
        }
        try self.init(
            roots: roots, branches: branches, leaves: leaves, votes: votes, members: [],
            targets: targets ?? ((votes.map { Int($0.target) }.max() ?? 0) + 1), at: node)
    }

    /// The votes in the order of their leaves, and which are whose. A vote at a branch never counts.
    private static func votes(
        _ node: NodeReader, role: String, leafCount: Int,
        leaf: (_ tree: Int, _ node: Int) throws(SardonyxError) -> Int?
    ) throws(SardonyxError) -> ([Vote], [Range<Int32>]) {
        let weights = try node.reals("\(role)_weights") ?? []
        var lists: [[Int]] = []
        for name in ["treeids", "nodeids", "ids"] {
            let list = try node.ints("\(role)_\(name)") ?? []
            try node.require("\(role)_\(name)", count: list.count, weights.count)
            lists.append(list)
        }
        var counts = [Int32](repeating: 0, count: leafCount + 1)
        var owners: [Int?] = []
        for (tree, number) in zip(lists[0], lists[1]) {
            let owner = try leaf(tree, number)
            owners.append(owner)
            if let owner { counts[owner + 1] += 1 }
        }
        for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
        let leaves = (0..<leafCount).map { counts[$0]..<counts[$0 + 1] }
        var votes = [Vote](repeating: Vote(target: 0, weight: 0), count: Int(counts[leafCount]))
        for (index, owner) in owners.enumerated() {
            guard let owner else { continue }
            votes[Int(counts[owner])] = Vote(target: Int32(clamping: lists[2][index]), weight: weights[index])
            counts[owner] += 1
        }
        return (votes, leaves)
    }
}

/// The attributes `nodes_*`, all of one length.
private struct NodeList {
    let trees, features, onTrue, onFalse, missing: [Int]
    let values: [Double]
    /// `nil`: a leaf.
    let modes: [DecisionForest.Mode?]
    private let positions: [Key: Int]

    private struct Key: Hashable { let tree, node: Int }

    private static let names: [String: DecisionForest.Mode] = [
        "BRANCH_LEQ": .lessOrEqual, "BRANCH_LT": .less, "BRANCH_GTE": .greaterOrEqual, "BRANCH_GT": .greater,
        "BRANCH_EQ": .equal, "BRANCH_NEQ": .notEqual,
    ]

    init(_ node: NodeReader) throws(SardonyxError) {
        let count = try node.required("nodes_modes", try node.strings("nodes_modes")).count
        guard count < Int32.max else { throw node.error(.limit, "nodes", got: "\(count)", allowed: "2^31 - 1") }
        func list(_ name: String) throws(SardonyxError) -> [Int] {
            let values = try node.required("nodes_\(name)", try node.ints("nodes_\(name)"))
            try node.require("nodes_\(name)", count: values.count, count)
            return values
        }
        trees = try list("treeids")
        features = try list("featureids")
        onTrue = try list("truenodeids")
        onFalse = try list("falsenodeids")
        missing =
            node.has("nodes_missing_value_tracks_true")
            ? try list("missing_value_tracks_true") : [Int](repeating: 0, count: count)
        values = try node.required("nodes_values", try node.reals("nodes_values"))
        try node.require("nodes_values", count: values.count, count)
        var modes: [DecisionForest.Mode?] = []
        for name in try node.strings("nodes_modes") ?? [] {
            guard name != "LEAF" else {
                modes.append(nil)
                continue
            }
            guard let mode = NodeList.names[name] else {
                throw node.error(
                    .unsupported, "attribute nodes_modes", got: "'\(Name(name))'",
                    allowed: NodeList.names.keys.sorted().joined(separator: ", ") + ", LEAF")
            }
            modes.append(mode)
        }
        self.modes = modes
        var positions: [Key: Int] = [:]
        for (index, number) in try list("nodeids").enumerated() {
            guard positions.updateValue(index, forKey: Key(tree: trees[index], node: number)) == nil else {
                throw node.error(.graph, "tree \(trees[index]) has two nodes of one number", got: "\(number)")
            }
        }
        self.positions = positions
    }

    func position(_ tree: Int, _ number: Int, _ node: NodeReader) throws(SardonyxError) -> Int {
        guard let position = positions[Key(tree: tree, node: number)] else {
            throw node.error(.graph, "tree \(tree) has no such node", got: "\(number)")
        }
        return position
    }
}
