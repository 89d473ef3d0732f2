import GraphIR
import TensorCore

/// ONNX StringNormalizer (10): strings of a `[C]` or `[1, C]` tensor without the stop words, in upper or lower case.
/// Letters change case as Unicode's default mapping says; the `locale` is not needed for that.
struct StringNormalizer: Operator {
    static let elementTypes: [DType] = [.string]
    private enum CaseChange: String, CaseIterable { case none = "NONE", lower = "LOWER", upper = "UPPER" }
    private let change: CaseChange
    private let isCaseSensitive: Bool
    private let stopWords: Set<String>

    init(_ node: NodeReader) throws(SardonyxError) {
        change = try node.choice("case_change_action", default: .none)
        isCaseSensitive = try node.bool("is_case_sensitive", default: false)
        let words = try node.strings("stopwords") ?? []
        stopWords = isCaseSensitive ? Set(words) : Set(words.map { $0.lowercased() })
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 1...2, "input")
        guard let shape = try context.shape(0) else { return [Inferred(.string, nil)] }
        if shape.rank == 2, let rows = shape.dims[0].value, rows != 1 {
            throw context.error(.shape, "input", got: "\(shape)", allowed: "[C] or [1, C]")
        }
        return [Inferred(.string, SymbolicShape(shape.rank == 2 ? [.known(1), .unknown] : [.unknown]))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        guard input.shape.rank == 1 || input.shape[0] == 1 else {
            throw context.error(.shape, "input", got: "\(input.shape)", allowed: "[C] or [1, C]")
        }
        var kept = input.elements(String.self).filter { !stopWords.contains(isCaseSensitive ? $0 : $0.lowercased()) }
        switch change {
        case .none: break
        case .lower: kept = kept.map { $0.lowercased() }
        case .upper: kept = kept.map { $0.uppercased() }
        }
        if kept.isEmpty { kept = [""] }
        let shape = try context.shape(of: input.shape.rank == 2 ? [1, kept.count] : [kept.count])
        let target = try context.output(0, dtype: .string, shape: shape).elements(String.self)
        for (index, text) in kept.enumerated() { target[index] = text }
    }
}
