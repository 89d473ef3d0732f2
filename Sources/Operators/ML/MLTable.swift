import GraphIR

extension Domains {
    /// Classical machine learning: trees, linear models, support vectors, encoders.
    package static let machineLearning = "ai.onnx.ml"
}

extension OperatorTable {
    /// The standard's operators of ai.onnx.ml 1-5 that take and give tensors.
    static let machineLearning: [OperatorEntry] = [
        ml("ArrayFeatureExtractor", ArrayFeatureExtractor.self),
        ml("Binarizer", Binarizer.self),
        ml("CategoryMapper", LabelEncoder.self),
        ml("FeatureVectorizer", FeatureVectorizer.self),
        ml("Imputer", Imputer.self),
        ml("LabelEncoder", LabelEncoder.self),
        ml("LinearClassifier", LinearClassifier.self),
        ml("LinearRegressor", LinearRegressor.self),
        ml("Normalizer", Normalizer.self),
        ml("OneHotEncoder", OneHotEncoder.self),
        ml("Scaler", Scaler.self),
        ml("SVMClassifier", SVMClassifier.self),
        ml("SVMRegressor", SVMRegressor.self),
        ml("TreeEnsemble", TreeEnsemble.self, from: 5),
        ml("TreeEnsembleClassifier", TreeEnsembleClassifier.self),
        ml("TreeEnsembleRegressor", TreeEnsemble.self),
    ]

    private static func ml<Op: Operator>(_ name: String, _ type: Op.Type, from version: Int = 1) -> OperatorEntry {
        .op(name, version...5, type, domain: Domains.machineLearning)
    }
}
