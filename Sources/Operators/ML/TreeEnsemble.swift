import GraphIR
import TensorCore

/// ONNX TreeEnsemble (ai.onnx.ml 5) and TreeEnsembleRegressor (1, 3, 5): scores `[N, targets]` of the rows of
/// `[N, F]`, from the leaves that they end in.
struct TreeEnsemble: Operator {
    static let elementTypes: [DType] = DType.tabular + [.float16]
    private let forest: DecisionForest
    private let targets: Int
    private let aggregate: DecisionForest.Aggregate
    private let transform: PostTransform
    /// Added to the scores, one a target; empty: none.
    private let base: [Double]
    private let isRegressor: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        isRegressor = node.node.opType == "TreeEnsembleRegressor"
        let given = try node.int("n_targets")
        guard 1...CheckedSize.maximumElements ~= given ?? 1 else {
            throw node.error(.value, "attribute n_targets", got: "\(given ?? 0)", allowed: "1 or more")
        }
        if isRegressor {
            aggregate = try node.choice("aggregate_function", default: .sum)
            transform = try node.choice("post_transform", default: .none)
            forest = try DecisionForest(node, role: "target", targets: given)
        } else {
            aggregate = try TreeEnsemble.numbered("aggregate_function", default: 1, node)
            transform = try TreeEnsemble.numbered("post_transform", default: 0, node)
            forest = try TreeEnsemble.forest(node, targets: given)
        }
        targets = given ?? ((forest.votes.map { Int($0.target) }.max() ?? 0) + 1)
        let base = try node.reals("base_values") ?? []
        guard base.isEmpty || base.count == 1 || base.count == targets else {
            throw node.error(
                .value, "attribute base_values", got: "\(base.count) elements", allowed: "1 or \(targets)")
        }
        self.base = base.count == 1 ? [Double](repeating: base[0], count: targets) : base
    }

    /// A choice given by its number.
    private static func numbered<Choice: CaseIterable>(
        _ name: String, default value: Int, _ node: NodeReader
    ) throws(SardonyxError) -> Choice {
        let choices = Array(Choice.allCases)
        let number = try node.int(name, default: value)
        guard choices.indices.contains(number) else {
            throw node.error(.value, "attribute \(name)", got: "\(number)", allowed: "0 to \(choices.count - 1)")
        }
        return choices[number]
    }

    /// Nodes and leaves apart, each addressed by its position.
    private static func forest(_ node: NodeReader, targets: Int?) throws(SardonyxError) -> DecisionForest {
        let modes = try node.required("nodes_modes", try node.numbers("nodes_modes"))
        let splits = try node.required("nodes_splits", try node.numbers("nodes_splits"))
        try node.require("nodes_splits", count: splits.count, modes.count)
        func list(_ name: String) throws(SardonyxError) -> [Int] {
            let values = try node.required(name, try node.ints(name))
            try node.require(name, count: values.count, modes.count)
            return values
        }
        let missing = "nodes_missing_value_tracks_true"
        let tracksTrue = node.has(missing) ? try list(missing) : [Int](repeating: 0, count: modes.count)
        let (features, trueLeaves, falseLeaves) = (
            try list("nodes_featureids"), try list("nodes_trueleafs"), try list("nodes_falseleafs")
        )
        let (onTrue, onFalse) = (try list("nodes_truenodeids"), try list("nodes_falsenodeids"))
        var sets = try memberSets(node)[...]
        var members: [Double] = []
        var branches: [DecisionForest.Branch] = []
        for index in modes.indices {
            guard let mode = UInt8(exactly: modes[index]).flatMap(DecisionForest.Mode.init(rawValue:)) else {
                throw node.error(.value, "attribute nodes_modes: node \(index)", got: "\(modes[index])", allowed: "0-6")
            }
            var branch = DecisionForest.Branch(
                feature: Int32(clamping: features[index]), mode: mode, missingIsTrue: tracksTrue[index] != 0,
                threshold: splits[index], onTrue: try place(onTrue[index], isLeaf: trueLeaves[index] != 0, node),
                onFalse: try place(onFalse[index], isLeaf: falseLeaves[index] != 0, node))
            if mode == .member {
                guard let set = sets.popFirst() else {
                    throw node.error(.value, "attribute membership_values has no set for node \(index)")
                }
                branch.members = Int32(members.count)..<Int32(members.count + set.count)
                members += set.sorted()
            }
            branches.append(branch)
        }
        let weights = try node.required("leaf_weights", try node.numbers("leaf_weights"))
        let ids = try node.required("leaf_targetids", try node.ints("leaf_targetids"))
        try node.require("leaf_targetids", count: ids.count, weights.count)
        let votes = zip(ids, weights).map { DecisionForest.Vote(target: Int32(clamping: $0), weight: $1) }
        var roots: [Int32] = []
        for root in try node.required("tree_roots", try node.ints("tree_roots")) {
            roots.append(try place(root, isLeaf: false, node))
        }
        return try DecisionForest(
            roots: roots, branches: branches, leaves: votes.indices.map { Int32($0)..<Int32($0 + 1) }, votes: votes,
            members: members, targets: targets ?? ((ids.max() ?? 0) + 1), at: node)
    }

    private static func place(_ index: Int, isLeaf: Bool, _ node: NodeReader) throws(SardonyxError) -> Int32 {
        guard 0..<Int(Int32.max) ~= index else {
            throw node.error(.graph, "index of a node or leaf", got: "\(index)", allowed: "0 or more")
        }
        return isLeaf ? ~Int32(index) : Int32(index)
    }

    /// The lists between the NaN that end them.
    private static func memberSets(_ node: NodeReader) throws(SardonyxError) -> [[Double]] {
        let values = try node.numbers("membership_values") ?? []
        guard values.count < Int32.max else {
            throw node.error(
                .limit, "attribute membership_values", got: "\(values.count) elements", allowed: "2^31 - 1")
        }
        var sets: [[Double]] = []
        var set: [Double] = []
        for value in values {
            if value.isNaN {
                sets.append(set)
                set = []
            } else {
                set.append(value)
            }
        }
        return set.isEmpty ? sets : sets + [set]
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(0, isRegressor ? DType.tabular : [.float32, .float64, .float16], "input")
        let rows = try context.featureRows()
        try forest.requireFeatures(rows.features.value, at: context)
        let dtype = try isRegressor ? .float32 : context.dtype(0)
        return [Inferred(dtype, [rows.rows, .known(targets)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let rows = try FeatureRows(context)
        try forest.requireFeatures(rows.features, at: context)
        let dtype = try isRegressor ? .float32 : context.input(0).dtype
        let output = try context.output(0, dtype: dtype, shape: try context.shape(of: [rows.count, targets]))
        try context.forEachRow(of: rows, into: output, width: targets, cost: forest.cost) { _, row, scores in
            forest.score(row, aggregate, scores)
            for target in base.indices { scores[target] += base[target] }
            transform.apply(scores)
        }
    }
}

extension DecisionForest {
    /// - Throws: `shape` when a branch asks for a feature that the input does not have.
    func requireFeatures(_ count: Int?, at place: some NodePlace) throws(SardonyxError) {
        guard let count, count < featureCount else { return }
        throw place.error(
            .shape, "features of the input", got: "\(count)", allowed: "at least \(featureCount)", hint: nil)
    }
}
