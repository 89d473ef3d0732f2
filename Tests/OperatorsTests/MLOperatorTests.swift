import GraphIR
import TensorCore
import Testing

@testable import Operators

/// What neither official cases nor ONNX Runtime show of ai.onnx.ml: faults in models, older versions, strings.
@Suite struct MLOperatorTests {
    private func runner(
        _ type: String, opset: Int = 1, outputs: Int = 1, _ attributes: [String: Attribute]
    ) -> NodeRunner {
        var runner = NodeRunner(type, opset: opset, outputs: outputs, attributes)
        runner.domain = Domains.machineLearning
        return runner
    }

    private func strings(_ values: [String]) -> Attribute { .strings(values.map { Array($0.utf8) }) }

    /// A tree of a branch and two leaves, with some attributes replaced.
    private func tree(_ changes: [String: Attribute] = [:]) -> NodeRunner {
        let attributes: [String: Attribute] = [
            "nodes_treeids": .ints([0, 0, 0]), "nodes_nodeids": .ints([0, 1, 2]), "nodes_featureids": .ints([1, 0, 0]),
            "nodes_modes": strings(["BRANCH_NEQ", "LEAF", "LEAF"]), "nodes_values": .floats([0.5, 0, 0]),
            "nodes_truenodeids": .ints([1, 0, 0]), "nodes_falsenodeids": .ints([2, 0, 0]),
            "target_treeids": .ints([0, 0]), "target_nodeids": .ints([1, 2]), "target_ids": .ints([0, 0]),
            "target_weights": .floats([10, 20]), "n_targets": .int(1),
        ]
        return runner("TreeEnsembleRegressor", attributes.merging(changes) { $1 })
    }

    @Test func missingValueGoesWhereItIsSaid() throws {
        let x = try floats([0, .nan, 0, 0.5, 0, 1], [3, 2])
        #expect(try tree().run(x)[0]?.array(of: Float.self) == [20, 20, 10])
        let tracks = tree(["nodes_missing_value_tracks_true": .ints([1, 0, 0])])
        #expect(try tracks.run(x)[0]?.array(of: Float.self) == [10, 20, 10])
    }

    @Test func faultyTree() throws {
        let x = try floats([0, 0], [1, 2])
        let changes: [([String: Attribute], String)] = [
            (["nodes_truenodeids": .ints([0, 0, 0])], "cycle"),
            (["nodes_falsenodeids": .ints([7, 0, 0])], "no such node"),
            (["nodes_featureids": .ints([2, 0, 0])], "features"), (["nodes_featureids": .ints([-1, 0, 0])], "feature"),
            (["target_ids": .ints([0, 1])], "target"), (["nodes_nodeids": .ints([0, 1, 1])], "one number"),
            (["nodes_modes": strings(["BRANCH", "LEAF", "LEAF"])], "nodes_modes"),
            (["nodes_values": .floats([0.5])], "nodes_values"), (["target_nodeids": .ints([1, 9])], "no such node"),
            (["n_targets": .int(0)], "n_targets"), (["base_values": .floats([1, 2])], "base_values"),
        ]
        for (change, words) in changes {
            let error = tree(change).fault(x)
            #expect(error?.message.contains(words) == true, "\(change): \(String(describing: error))")
        }
    }

    @Test func faultyEnsemble() throws {
        func number(_ values: [Float]) throws -> Attribute { .tensor(Constant(try floats(values))) }
        let x = try floats([0], [1, 1])
        let attributes: [String: Attribute] = [
            "tree_roots": .ints([0]), "nodes_modes": .tensor(Constant(try Tensor([UInt8(0), 6], dims: [2]))),
            "nodes_splits": try number([0, 0]), "nodes_featureids": .ints([0, 0]), "nodes_trueleafs": .ints([1, 1]),
            "nodes_truenodeids": .ints([0, 0]), "nodes_falseleafs": .ints([0, 1]), "nodes_falsenodeids": .ints([1, 1]),
            "leaf_targetids": .ints([0, 0]), "leaf_weights": try number([1, 2]), "n_targets": .int(1),
            "membership_values": try number([3, .nan]),
        ]
        let whole = runner("TreeEnsemble", opset: 5, attributes)
        #expect(try whole.run(try floats([-1, 3, 4], [3, 1]))[0]?.array(of: Float.self) == [1, 1, 2])
        let changes: [String: Attribute] = [
            "tree_roots": .ints([2]), "nodes_falsenodeids": .ints([0, 1]), "nodes_truenodeids": .ints([-1, 0]),
            "leaf_targetids": .ints([0, 5]), "membership_values": try number([]), "aggregate_function": .int(4),
            "nodes_modes": .tensor(Constant(try Tensor([UInt8(0), 7], dims: [2]))), "nodes_splits": try number([0]),
        ]
        for (name, value) in changes {
            #expect(
                runner("TreeEnsemble", opset: 5, attributes.merging([name: value]) { $1 }).fault(x) != nil, "\(name)")
        }
        #expect(runner("TreeEnsemble", opset: 4, attributes).fault(x)?.code == .unsupported)
    }

    @Test func topOfTwoClassesThatBothHaveVotes() throws {
        let attributes: [String: Attribute] = [
            "nodes_treeids": .ints([0]), "nodes_nodeids": .ints([0]), "nodes_featureids": .ints([0]),
            "nodes_modes": strings(["LEAF"]), "nodes_values": .floats([0]), "nodes_truenodeids": .ints([0]),
            "nodes_falsenodeids": .ints([0]), "class_treeids": .ints([0, 0]), "class_nodeids": .ints([0, 0]),
            "class_ids": .ints([0, 1]), "class_weights": .floats([0.8, 0.2]),
            "classlabels_strings": strings(["yes", "no"]),
        ]
        let outputs = try runner("TreeEnsembleClassifier", outputs: 2, attributes).run(try floats([0], [1, 1]))
        #expect(try outputs[0]?.array(of: String.self) == ["yes"])
        #expect(try outputs[1]?.array(of: Float.self) == [0.8, 0.2])
    }

    @Test func labelsOfVersionOneGoBothWays() throws {
        let encoder = runner(
            "LabelEncoder", ["classes_strings": strings(["a", "b"]), "default_string": .string([0x3F])])
        #expect(try encoder.run(try Tensor(["b", "c"], dims: [2]))[0]?.array(of: Int64.self) == [1, -1])
        #expect(try encoder.run(try ints([0, 5]))[0]?.array(of: String.self) == ["a", "?"])
        let mapper = runner("CategoryMapper", ["cats_strings": strings(["a", "b"]), "cats_int64s": .ints([7, 9])])
        #expect(try mapper.run(try Tensor(["b", "c"], dims: [2]))[0]?.array(of: Int64.self) == [9, -1])
        #expect(try mapper.run(try ints([7, 5]))[0]?.array(of: String.self) == ["a", "_Unused"])
    }

    @Test func labelsByBytesAndOfNaN() throws {
        let texts = runner(
            "LabelEncoder", opset: 2, ["keys_strings": strings(["\u{E9}", "x"]), "values_int64s": .ints([1, 2])])
        #expect(try texts.run(try Tensor(["e\u{301}", "\u{E9}"], dims: [2]))[0]?.array(of: Int64.self) == [-1, 1])
        let numbers = runner(
            "LabelEncoder", opset: 4, ["keys_floats": .floats([.nan, 0, 0]), "values_int64s": .ints([1, 2, 3])])
        #expect(try numbers.run(try floats([-.nan, -0.0, 4]))[0]?.array(of: Int64.self) == [1, 3, -1])
        #expect(numbers.fault(try ints([1]))?.code == .unsupported)
    }

    @Test func faultyModels() throws {
        let x = try floats([0, 0], [1, 2])
        let numbers = Attribute.floats([1, 2, 3])
        let faulty = [
            runner("LinearRegressor", ["coefficients": numbers]),
            runner("LinearRegressor", ["coefficients": numbers, "targets": .int(0)]),
            runner("LinearClassifier", outputs: 2, ["coefficients": numbers, "classlabels_ints": .ints([])]),
            runner("LinearClassifier", outputs: 2, ["coefficients": numbers, "classlabels_ints": .ints([1, 2])]),
            runner("SVMRegressor", ["coefficients": numbers, "rho": .floats([])]),
            runner("SVMRegressor", ["coefficients": numbers, "rho": numbers, "n_supports": .int(.max)]),
            runner(
                "SVMClassifier", outputs: 2,
                [
                    "coefficients": numbers, "rho": numbers, "vectors_per_class": .ints([.max, 1]),
                    "classlabels_ints": .ints([1, 2]),
                ]),
            runner(
                "SVMClassifier", outputs: 2,
                [
                    "coefficients": .floats([1, 2]), "rho": numbers, "vectors_per_class": .ints([1, 1]),
                    "classlabels_ints": .ints([1, 2]), "support_vectors": .floats([1, 2, 3, 4]),
                ]),
            runner("FeatureVectorizer", ["inputdimensions": .ints([1, 2])]),
            runner("FeatureVectorizer", ["inputdimensions": .ints([-1])]),
            runner("Imputer", ["imputed_value_floats": numbers]), runner("Scaler", ["scale": numbers]),
            runner("Normalizer", ["norm": .string(Array("L3".utf8))]),
            runner("OneHotEncoder", ["cats_int64s": .ints([1]), "zeros": .int(0)]),
        ]
        for model in faulty { #expect(model.fault(x) != nil, "\(model.type) \(model.attributes)") }
        let whole = try Tensor([Int32(0)], dims: [1])
        #expect(runner("Imputer", ["imputed_value_int64s": .ints([1 << 40])]).fault(whole)?.code == .value)
    }
}
