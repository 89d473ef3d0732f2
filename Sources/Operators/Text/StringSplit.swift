import GraphIR
import TensorCore

/// ONNX StringSplit (20): the parts of each string between delimiters, or between runs of white space, along a new last
/// axis that is as long as the most parts of one string; and how many each string has.
struct StringSplit: Operator {
    static let elementTypes: [DType] = [.string]
    /// Empty: runs of white space.
    private let delimiter: [UInt8]
    private let mostSplits: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        delimiter = Array(try node.string("delimiter", default: "").utf8)
        mostSplits = try node.int("maxsplit", default: .max)
        guard mostSplits >= 0 else {
            throw node.error(.value, "attribute maxsplit", got: "\(mostSplits)", allowed: "0 or more")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let shape = try context.shape(0)
        return [Inferred(.string, shape.map { SymbolicShape($0.dims + [.unknown]) }), Inferred(.int64, shape)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        var parts: [[String]] = []
        for (index, text) in input.elements(String.self).enumerated() {
            if index % 1024 == 0 { try context.interruption?.check() }
            parts.append(split(text))
        }
        let most = parts.map(\.count).max() ?? 0
        if context.outputs.first != nil {
            let shape = try context.shape(of: input.shape.dims + [most])
            let target = try context.output(0, dtype: .string, shape: shape).elements(String.self)
            for (row, texts) in parts.enumerated() {
                for column in 0..<most { target[row * most + column] = column < texts.count ? texts[column] : "" }
            }
        }
        guard context.hasOutput(1) else { return }
        let counts = try context.output(1, dtype: .int64, shape: input.shape).elements(Int64.self)
        for (row, texts) in parts.enumerated() { counts[row] = Int64(texts.count) }
    }

    private func split(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var (result, start, index): ([String], Int, Int) = ([], 0, 0)
        func take(_ range: Range<Int>) { result.append(String(decoding: bytes[range], as: UTF8.self)) }
        if delimiter.isEmpty {
            while true {
                while start < bytes.count, isSpace(bytes[start]) { start += 1 }
                guard start < bytes.count else { return result }
                index = start
                while index < bytes.count, result.count == mostSplits || !isSpace(bytes[index]) { index += 1 }
                var end = index
                while end > start, isSpace(bytes[end - 1]) { end -= 1 }
                take(start..<end)
                start = index
            }
        }
        while index + delimiter.count <= bytes.count, result.count < mostSplits {
            if bytes[index..<index + delimiter.count].elementsEqual(delimiter) {
                take(start..<index)
                index += delimiter.count
                start = index
            } else {
                index += 1
            }
        }
        take(start..<bytes.count)
        return result
    }
}
