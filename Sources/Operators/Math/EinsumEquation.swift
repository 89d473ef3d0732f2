/// The equation of ONNX Einsum: one term an input, and the output's term.
struct EinsumEquation: Sendable {
    /// A letter, or an axis that an ellipsis stands for (counted from the last, so that ranks align).
    enum Label: Hashable, Comparable, Sendable {
        case ellipsis(fromEnd: Int)
        case letter(UInt8)

        static func < (a: Label, b: Label) -> Bool {
            switch (a, b) {
            case (.ellipsis(let x), .ellipsis(let y)): x > y
            case (.letter(let x), .letter(let y)): x < y
            case (.ellipsis, .letter): true
            case (.letter, .ellipsis): false
            }
        }
    }

    private enum Symbol: Hashable {
        case letter(UInt8)
        case ellipsis
    }

    private let terms: [[Symbol]]
    private let output: [Symbol]

    /// `nil` when the text is not an equation for that many inputs.
    init?(_ text: String, inputCount: Int) {
        var sides: [[UInt8]] = [[]]
        var bytes = ArraySlice(text.utf8.filter { $0 != UInt8(ascii: " ") })
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "-") else {
                sides[sides.count - 1].append(byte)
                continue
            }
            guard bytes.popFirst() == UInt8(ascii: ">"), sides.count == 1 else { return nil }
            sides.append([])
        }
        var terms: [[Symbol]] = []
        for term in sides[0].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let symbols = EinsumEquation.symbols(term) else { return nil }
            terms.append(symbols)
        }
        guard terms.count == inputCount, inputCount > 0 else { return nil }
        self.terms = terms
        let used = terms.flatMap { $0 }
        guard sides.count == 2 else {
            // Implicit form: the ellipsis, then the letters that appear once, in order.
            let once = Set(used).filter { symbol in symbol != .ellipsis && used.filter { $0 == symbol }.count == 1 }
            let letters = once.compactMap { if case .letter(let letter) = $0 { letter } else { nil } }.sorted()
            output = (used.contains(.ellipsis) ? [.ellipsis] : []) + letters.map(Symbol.letter)
            return
        }
        guard let output = EinsumEquation.symbols(sides[1][...]), Set(output).count == output.count,
            output.allSatisfy({ used.contains($0) })
        else { return nil }
        self.output = output
    }

    private static func symbols(_ term: ArraySlice<UInt8>) -> [Symbol]? {
        var (symbols, rest): ([Symbol], ArraySlice<UInt8>) = ([], term)
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                symbols.append(.letter(byte))
            case UInt8(ascii: "."):
                guard rest.popFirst() == byte, rest.popFirst() == byte, !symbols.contains(.ellipsis) else { return nil }
                symbols.append(.ellipsis)
            default: return nil
            }
        }
        return symbols
    }

    private static func labels(_ symbols: [Symbol], ellipsisRank: Int) -> [Label] {
        symbols.flatMap { symbol -> [Label] in
            switch symbol {
            case .letter(let letter): [.letter(letter)]
            case .ellipsis: (0..<ellipsisRank).map { .ellipsis(fromEnd: ellipsisRank - 1 - $0) }
            }
        }
    }

    /// The label of every axis of an input; `nil` when its rank does not fit its term.
    func labels(input index: Int, rank: Int) -> [Label]? {
        let term = terms[index]
        let letters = term.count - (term.contains(.ellipsis) ? 1 : 0)
        guard term.contains(.ellipsis) ? rank >= letters : rank == letters else { return nil }
        return EinsumEquation.labels(term, ellipsisRank: rank - letters)
    }

    /// The label of every axis of the output, for inputs of these ranks.
    func outputLabels(ranks: [Int]) -> [Label] {
        let widest =
            zip(terms, ranks).map { term, rank in term.contains(.ellipsis) ? rank - term.count + 1 : 0 }.max() ?? 0
        return EinsumEquation.labels(output, ellipsisRank: widest)
    }
}
