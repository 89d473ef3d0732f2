/// The scalars of a pattern, and the parts of it that stand for themselves: counts, flags, escapes, bracketed classes.
struct RegexSource {
    private let scalars: [Unicode.Scalar]
    private(set) var position = 0

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func next() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        position += 1
        return scalar
    }

    /// Goes past the text when it comes next.
    mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    /// A fault at the scalar read last.
    func fault(_ sentence: String) -> RegexFault { RegexFault(position: max(position - 1, 0), sentence: sentence) }

    // MARK: Repetition

    /// `n}`, `n,}` or `n,m}` behind `{`; `nil`, with nothing read, when it is something else.
    mutating func counts() throws(RegexFault) -> (least: Int, most: Int?)? {
        let start = position
        if let least = number() {
            if take("}") { return (least, least) }
            if take(",") {
                if take("}") { return (least, nil) }
                if let most = number(), take("}") { return (least, most) }
            }
        }
        position = start
        return nil
    }

    /// Digits; numbers above all limits become one million.
    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek, ("0"..."9").contains(scalar) {
            value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            position += 1
        }
        return value
    }

    // MARK: Groups

    mutating func skipGroupName() throws(RegexFault) {
        let start = position
        while let scalar = next(), scalar != ">" {
            let isWord = RegexClass.word.contains { $0.contains(scalar.value) }
            guard isWord || scalar.properties.isAlphabetic else { throw fault("a group's name has letters and digits") }
        }
        guard position - start > 1, scalars[position - 1] == ">" else { throw fault("a group's name ends with >") }
    }

    enum FlagScope { case toGroupEnd, group }

    /// `i`, `m`, `s`, `U` and, behind `-`, those that end, up to `:` or `)`.
    mutating func flags(_ flags: inout RegexParser.Flags) throws(RegexFault) -> FlagScope {
        var (value, isEmpty, isNegated) = (true, true, false)
        while let scalar = next() {
            switch scalar {
            case "i": flags.foldsCase = value
            case "m": flags.isMultiline = value
            case "s": flags.dotTakesNewline = value
            case "U": break
            case "-":
                guard !isNegated else { throw fault("- stands twice among flags") }
                (value, isNegated, isEmpty) = (false, true, true)
                continue
            case ":" where !(isNegated && isEmpty): return .group
            case ")" where !isEmpty: return .toGroupEnd
            default: throw fault("behind (? stand flags (i, m, s, U), a name in < > or :")
            }
            isEmpty = false
        }
        throw fault("( is never closed")
    }

    // MARK: Escapes, behind the backslash

    /// `d`, `s`, `w`, `p…` and their negations; `nil`, with nothing read, for other escapes.
    mutating func setEscape() throws(RegexFault) -> RegexClass.Item? {
        guard let letter = peek else { return nil }
        if let item = RegexClass.perl(letter) {
            position += 1
            return item
        }
        guard letter == "p" || letter == "P" else { return nil }
        position += 1
        var (name, isNegated) = ("", letter == "P")
        guard let first = next() else { throw fault("\\p needs a category") }
        if first == "{" {
            if take("^") { isNegated.toggle() }
            while let scalar = next(), scalar != "}" { name.unicodeScalars.append(scalar) }
            guard scalars[position - 1] == "}" else { throw fault("\\p{ is never closed") }
        } else {
            name.unicodeScalars.append(first)
        }
        if name == "Any" { return .ranges([0...0x10FFFF], isNegated: isNegated) }
        guard let bits = RegexCategories.named(name) else {
            throw fault("no general category has this name (scripts are not there)")
        }
        return .categories(bits, isNegated: isNegated)
    }

    /// An escape that stands for one scalar.
    mutating func scalarEscape() throws(RegexFault) -> Unicode.Scalar {
        guard let scalar = next() else { throw fault("a backslash at the end") }
        switch scalar {
        case "a": return "\u{07}"
        case "f": return "\u{0C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{0B}"
        case "x": return try hexadecimal()
        case "1"..."7":
            guard let second = peek, ("0"..."7").contains(second) else { throw fault("no references to groups") }
            return try octal(scalar)
        case "0": return try octal(scalar)
        case "A"..."Z", "a"..."z", "8", "9", "_": throw fault("an escape that has no meaning")
        default:
            guard scalar.isASCII else { throw fault("an escape that has no meaning") }
            return scalar
        }
    }

    private mutating func octal(_ first: Unicode.Scalar) throws(RegexFault) -> Unicode.Scalar {
        var value = first.value - 0x30
        for _ in 0..<2 {
            guard let scalar = peek, ("0"..."7").contains(scalar) else { break }
            value = value * 8 + scalar.value - 0x30
            position += 1
        }
        guard let result = Unicode.Scalar(value) else { throw fault("no such character") }
        return result
    }

    private mutating func hexadecimal() throws(RegexFault) -> Unicode.Scalar {
        let isBraced = take("{")
        var (value, digits): (UInt32, Int) = (0, 0)
        while isBraced || digits < 2, let scalar = peek, let digit = Character(scalar).hexDigitValue, scalar.isASCII {
            value = min(value, 0x11_0000) * 16 + UInt32(digit)
            digits += 1
            position += 1
        }
        guard isBraced ? digits > 0 && take("}") : digits == 2 else {
            throw fault("behind \\x stand two hexadecimal digits, or digits in { }")
        }
        guard let result = Unicode.Scalar(value) else { throw fault("no such character") }
        return result
    }

    // MARK: Bracketed classes

    /// What stands behind `[`, up to its `]`.
    mutating func bracketClass(_ flags: RegexParser.Flags) throws(RegexFault) -> RegexClass {
        let opening = position - 1
        let isNegated = take("^")
        var items: [RegexClass.Item] = []
        while let scalar = next() {
            if scalar == "]", !items.isEmpty {
                return RegexClass(items, isNegated: isNegated, foldsCase: flags.foldsCase)
            }
            if scalar == "[", peek == ":", namesClass, take(":") {
                items.append(try posixClass())
            } else if scalar == "\\", let item = try setEscape() {
                items.append(item)
            } else {
                items.append(try range(from: scalar))
            }
        }
        throw RegexFault(position: opening, sentence: "[ is never closed")
    }

    private mutating func range(from scalar: Unicode.Scalar) throws(RegexFault) -> RegexClass.Item {
        let first = scalar == "\\" ? try scalarEscape() : scalar
        guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
            return .range(first.value...first.value)
        }
        position += 1
        guard let end = next() else { throw fault("a range without end") }
        let last = end == "\\" ? try scalarEscape() : end
        guard first.value <= last.value else { throw fault("a range whose end is before its beginning") }
        return .range(first.value...last.value)
    }

    /// Whether a `:]` follows somewhere; otherwise `[:` are two elements.
    private var namesClass: Bool {
        scalars.indices.dropFirst(position + 1).contains { index in
            scalars[index] == ":" && index + 1 < scalars.count && scalars[index + 1] == "]"
        }
    }

    private mutating func posixClass() throws(RegexFault) -> RegexClass.Item {
        let isNegated = take("^")
        var name = ""
        while let scalar = peek, scalar != ":" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take(":]"), let ranges = RegexClass.posix[name] else { throw fault("no class [:name:] has this name") }
        return .ranges(ranges, isNegated: isNegated)
    }
}
