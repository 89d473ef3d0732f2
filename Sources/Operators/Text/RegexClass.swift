/// A set of Unicode scalars that one step of a pattern accepts.
struct RegexClass: Sendable {
    enum Item: Sendable {
        case range(ClosedRange<UInt32>)
        case ranges([ClosedRange<UInt32>], isNegated: Bool)
        /// Bits of general categories.
        case categories(UInt32, isNegated: Bool)
    }
    private let items: [Item]
    private let isNegated: Bool
    private let foldsCase: Bool
    /// Which of the first 128 scalars are in the set.
    private let ascii: (UInt64, UInt64)

    /// - Parameter foldsCase: takes scalars that differ in case only for equal; before any negation.
    init(_ items: [Item], isNegated: Bool = false, foldsCase: Bool = false) {
        self.items = items
        self.isNegated = isNegated
        self.foldsCase = foldsCase
        var bits: (UInt64, UInt64) = (0, 0)
        for value in 0..<UInt32(128) where RegexClass.holds(value, items, foldsCase) != isNegated {
            if value < 64 { bits.0 |= 1 << UInt64(value) } else { bits.1 |= 1 << UInt64(value - 64) }
        }
        ascii = bits
    }

    func contains(_ value: UInt32) -> Bool {
        if value < 64 { return ascii.0 >> UInt64(value) & 1 == 1 }
        if value < 128 { return ascii.1 >> UInt64(value - 64) & 1 == 1 }
        return RegexClass.holds(value, items, foldsCase) != isNegated
    }

    private static func holds(_ value: UInt32, _ items: [Item], _ foldsCase: Bool) -> Bool {
        items.contains { item in
            switch item {
            case .range(let range):
                meets(value, foldsCase) { range.contains($0) }
            case .ranges(let ranges, let isNegated):
                meets(value, foldsCase) { value in ranges.contains { $0.contains(value) } } != isNegated
            case .categories(let bits, let isNegated):
                meets(value, foldsCase) { RegexCategories.bit(of: $0) & bits != 0 } != isNegated
            }
        }
    }

    private static func meets(_ value: UInt32, _ foldsCase: Bool, _ test: (UInt32) -> Bool) -> Bool {
        test(value) || foldsCase && CaseFolding.variants(of: value).contains(where: test)
    }

    // MARK: Named sets

    /// `\d`, `\s`, `\w` and their negations, which look at ASCII only.
    static func perl(_ letter: Unicode.Scalar) -> Item? {
        switch letter {
        case "d", "D": .ranges([0x30...0x39], isNegated: letter == "D")
        case "s", "S": .ranges([0x09...0x0A, 0x0C...0x0D, 0x20...0x20], isNegated: letter == "S")
        case "w", "W": .ranges(word, isNegated: letter == "W")
        default: nil
        }
    }

    static let word: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]

    /// Sets of POSIX, by the name between `[:` and `:]`.
    static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A], "ascii": [0...0x7F],
        "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0...0x1F, 0x7F...0x7F], "digit": [0x30...0x39],
        "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
        "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": [0x09...0x0D, 0x20...0x20],
        "upper": [0x41...0x5A], "word": word, "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]
}

/// Unicode's general categories as bits.
enum RegexCategories {
    private static let all: [(name: String, category: Unicode.GeneralCategory)] = [
        ("Lu", .uppercaseLetter), ("Ll", .lowercaseLetter), ("Lt", .titlecaseLetter), ("Lm", .modifierLetter),
        ("Lo", .otherLetter), ("Mn", .nonspacingMark), ("Mc", .spacingMark), ("Me", .enclosingMark),
        ("Nd", .decimalNumber), ("Nl", .letterNumber), ("No", .otherNumber), ("Pc", .connectorPunctuation),
        ("Pd", .dashPunctuation), ("Ps", .openPunctuation), ("Pe", .closePunctuation), ("Pi", .initialPunctuation),
        ("Pf", .finalPunctuation), ("Po", .otherPunctuation), ("Sm", .mathSymbol), ("Sc", .currencySymbol),
        ("Sk", .modifierSymbol), ("So", .otherSymbol), ("Zs", .spaceSeparator), ("Zl", .lineSeparator),
        ("Zp", .paragraphSeparator), ("Cc", .control), ("Cf", .format), ("Co", .privateUse), ("Cs", .surrogate),
    ]
    private static let bits: [Unicode.GeneralCategory: UInt32] = Dictionary(
        uniqueKeysWithValues: all.enumerated().map { ($1.category, 1 << UInt32($0)) })

    /// The categories of a name of one or two letters; `nil` when there are none.
    static func named(_ name: String) -> UInt32? {
        let found = all.filter { $0.name == name || name.utf8.count == 1 && $0.name.hasPrefix(name) }
        return found.isEmpty ? nil : found.reduce(0) { $0 | (bits[$1.category] ?? 0) }
    }

    /// 0 for scalars without a category.
    static func bit(of value: UInt32) -> UInt32 {
        Unicode.Scalar(value).flatMap { bits[$0.properties.generalCategory] } ?? 0
    }
}

/// Scalars that differ in case only.
enum CaseFolding {
    /// Those that a scalar is equal to but for case, itself among them.
    static func variants(of value: UInt32) -> [UInt32] { orbits[folded(value)] ?? [value] }

    private static func folded(_ value: UInt32) -> UInt32 {
        guard let scalar = Unicode.Scalar(value) else { return value }
        return single(single(scalar, \.uppercaseMapping), \.lowercaseMapping).value
    }

    /// The mapping of a scalar when it is one scalar again.
    private static func single(
        _ scalar: Unicode.Scalar, _ mapping: KeyPath<Unicode.Scalar.Properties, String>
    ) -> Unicode.Scalar {
        let mapped = scalar.properties[keyPath: mapping].unicodeScalars
        return mapped.count == 1 ? mapped.first ?? scalar : scalar
    }

    /// By folded scalar, where there is more than one; all letters with case are below U+20000.
    private static let orbits: [UInt32: [UInt32]] = {
        var orbits: [UInt32: [UInt32]] = [:]
        for value in 0..<UInt32(0x20000) where folded(value) != value {
            orbits[folded(value), default: [folded(value)]].append(value)
        }
        return orbits
    }()
}
