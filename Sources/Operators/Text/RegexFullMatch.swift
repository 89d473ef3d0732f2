import GraphIR
import TensorCore

/// ONNX RegexFullMatch (20): whether the pattern, in the syntax of RE2, takes each string as a whole.
struct RegexFullMatch: Operator {
    static let elementTypes: [DType] = [.string]
    private let program: RegexProgram
    private let table: RegexTable?

    init(_ node: NodeReader) throws(SardonyxError) {
        let pattern = try node.required("pattern", try node.string("pattern"))
        do { program = try RegexParser.program(pattern) } catch {
            throw node.error(
                .value, "attribute pattern, character \(error.position + 1): \(error.sentence)",
                got: "'\(Name(pattern))'")
        }
        table = RegexTable(program)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(.bool, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let output = try context.output(0, dtype: .bool, shape: input.shape)
        let (program, table, interruption) = (program, table, context.interruption)
        let hasEnded = try context.allInParallel(input.elementCount, cost: 128) { range in
            let (texts, target) = (input.typed(String.self), output.typed(Bool.self))
            for index in range {
                if let table, let found = texts[index].utf8.withContiguousStorageIfAvailable(table.matches) ?? nil {
                    target[index] = found
                    continue
                }
                do {
                    target[index] = try program.matches(texts[index]) { () throws(SardonyxError) in
                        try interruption?.check()
                    }
                } catch { return false }
            }
            return true
        }
        guard hasEnded else {
            try interruption?.check()
            throw context.error(.internal, "the run was interrupted")
        }
    }
}
