import GraphIR
import TensorCore

/// ONNX RegexFullMatch (20): whether the pattern, in the syntax of RE2, takes each string as a whole.
struct RegexFullMatch: Operator {
    static let elementTypes: [DType] = [.string]
    private let program: RegexProgram

    init(_ node: NodeReader) throws(SardonyxError) {
        let pattern = try node.required("pattern", try node.string("pattern"))
        do { program = try RegexParser.program(pattern) } catch {
            throw node.error(
                .value, "attribute pattern, character \(error.position + 1): \(error.sentence)",
                got: "'\(Name(pattern))'")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(.bool, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: .bool, shape: input.shape).elements(Bool.self)
        for (index, text) in input.elements(String.self).enumerated() {
            if index % 256 == 0 { try context.interruption?.check() }
            output[index] = try program.matches(text) { () throws(SardonyxError) in try context.interruption?.check() }
        }
    }
}
