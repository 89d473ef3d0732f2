import GraphIR
import TensorCore

/// ONNX TfIdfVectorizer (9): how often each n-gram of a pool occurs in each row of x `[N, C]`, or in x `[C]`, as
/// `[N, columns]` or `[columns]`; with weights (IDF: the weight of those that occur, TFIDF: count times weight).
///
/// The tokens of an n-gram may lie apart: next to each other, then with one skipped between each two, up to
/// `max_skip_count`.
struct TfIdfVectorizer: Operator {
    static let elementTypes: [DType] = [.int32, .int64, .string]
    private enum Mode: String, CaseIterable { case tf = "TF", idf = "IDF", tfidf = "TFIDF" }
    private let mode: Mode
    private let lengths: ClosedRange<Int>
    private let mostSkips: Int
    private let grams: NGramTree
    /// By n-gram of the pool.
    private let columns: [Int]
    private let weights: [Float]
    private let width: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        mode = try node.choice("mode", default: .tf)
        let least = try node.required("min_gram_length", try node.int("min_gram_length"))
        let most = try node.required("max_gram_length", try node.int("max_gram_length"))
        mostSkips = try node.required("max_skip_count", try node.int("max_skip_count"))
        guard least >= 1, least <= most, mostSkips >= 0 else {
            throw node.error(
                .value, "min_gram_length, max_gram_length and max_skip_count", got: "\(least), \(most), \(mostSkips)",
                allowed: "1 <= min <= max and 0 or more")
        }
        lengths = least...most
        grams = try NGramTree(node, lengths: lengths)
        columns = try node.required("ngram_indexes", try node.ints("ngram_indexes"))
        try node.require("ngram_indexes", count: columns.count, grams.count)
        weights = try node.floats("weights") ?? []
        if !weights.isEmpty { try node.require("weights", count: weights.count, grams.count) }
        if let column = columns.first(where: { $0 < 0 || $0 >= CheckedSize.maximumElements }) {
            throw node.error(.value, "attribute ngram_indexes", got: "\(column)", allowed: "0 or more")
        }
        width = (columns.max() ?? -1) + 1
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(0, grams.tokens.dtype == .string ? [.string] : [.int32, .int64], "input")
        try context.requireRank(0, 1...2, "input")
        return [Inferred(.float32, try context.shape(0).map { SymbolicShape($0.dims.dropLast() + [.known(width)]) })]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        guard 1...2 ~= x.shape.rank else {
            throw context.error(.shape, "input", got: "\(x.shape)", allowed: "[C] or [N, C]")
        }
        let output = try context.output(
            0, dtype: .float32, shape: try context.shape(of: Array(x.shape.dims.dropLast()) + [width]))
        output.elements(Float.self).update(repeating: 0)
        let length = x.shape[x.shape.rank - 1]
        let work = try context.working(Int.self, count: length)
        let tokens = UnsafeMutableBufferPointer(
            start: work.pointer.assumingMemoryBound(to: Int.self), count: length)
        for row in 0..<(x.shape.rank == 2 ? x.shape[0] : 1) {
            for index in 0..<length { tokens[index] = grams.tokens.position(of: row * length + index, in: x) ?? -1 }
            try count(tokens, into: output.floats + row * width, context)
        }
        withExtendedLifetime(work) {}
    }

    private func count(
        _ tokens: UnsafeMutableBufferPointer<Int>, into row: UnsafeMutablePointer<Float>, _ context: RunContext
    ) throws(SardonyxError) {
        // Single tokens count once; longer n-grams do not fit any more when tokens are as far apart as the row is long.
        for distance in 1...max(1, min(mostSkips, tokens.count) + 1) {
            try context.interruption?.check()
            for start in tokens.indices {
                var (place, position, length) = (0, start, 1)
                while position < tokens.count, length <= lengths.upperBound,
                    let next = grams.next(place, tokens[position])
                {
                    place = next
                    if lengths.contains(length), length > 1 || distance == 1, let gram = grams.gram(at: place) {
                        add(gram, row)
                    }
                    position += distance
                    length += 1
                }
            }
        }
    }

    private func add(_ gram: Int, _ row: UnsafeMutablePointer<Float>) {
        let weight = weights.isEmpty ? 1 : weights[gram]
        switch mode {
        case .tf: row[columns[gram]] += 1
        case .tfidf: row[columns[gram]] += weight
        case .idf: row[columns[gram]] = weight
        }
    }
}

/// The n-grams of a pool by their tokens, one after the other.
private struct NGramTree: Sendable {
    private struct Edge: Hashable { let place, token: Int }

    /// The pool: a token's number is the position at which the pool has it (last).
    let tokens: ElementIndex
    /// How many n-grams the pool has, of all lengths.
    private(set) var count = 0
    private var edges: [Edge: Int] = [:]
    /// By place: the n-gram that ends there.
    private var grams: [Int?] = [nil]

    /// - Parameter lengths: those that are looked for.
    init(_ node: NodeReader, lengths: ClosedRange<Int>) throws(SardonyxError) {
        guard let pool = try node.firstList(["pool_strings", "pool_int64s"]) else {
            throw node.error(.graph, "attributes pool_strings and pool_int64s are missing")
        }
        tokens = try ElementIndex(pool, at: node)
        let view = TensorView(reading: pool)
        var starts = try node.required("ngram_counts", try node.ints("ngram_counts"))
        starts.append(pool.shape.elementCount)
        for length in 1..<starts.count {
            let (start, end) = (starts[length - 1], starts[length])
            guard start >= 0, start <= end, end <= pool.shape.elementCount, (end - start) % length == 0 else {
                throw node.error(
                    .value, "attribute ngram_counts", got: "\(starts.dropLast())",
                    allowed: "where the n-grams of each length begin in the pool")
            }
            for first in stride(from: start, to: end, by: length) {
                if lengths.contains(length) { insert(first..<first + length, count, view) }
                count += 1
            }
        }
        withExtendedLifetime(pool) {}
    }

    private mutating func insert(_ range: Range<Int>, _ gram: Int, _ pool: TensorView) {
        var place = 0
        for element in range {
            let edge = Edge(place: place, token: tokens.position(of: element, in: pool) ?? -1)
            if let next = edges[edge] {
                place = next
            } else {
                grams.append(nil)
                place = grams.count - 1
                edges[edge] = place
            }
        }
        grams[place] = gram
    }

    /// The place behind another one and a token; `nil`: no n-gram goes on so.
    func next(_ place: Int, _ token: Int) -> Int? { token < 0 ? nil : edges[Edge(place: place, token: token)] }

    func gram(at place: Int) -> Int? { grams[place] }
}
