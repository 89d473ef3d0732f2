/// A value as Python prints it, which is how exporters such as ultralytics' write dictionaries and lists into a file's
/// metadata: `{0: 'person', 1: 'bicycle'}`, `[640, 640]`. JSON's objects and lists read the same.
enum PythonLiteral: Sendable, Hashable {
    case number(Double)
    case text(String)
    /// `True`, `None`, …
    case word(String)
    case list([PythonLiteral])
    case dictionary([Entry])

    struct Entry: Sendable, Hashable {
        let key: PythonLiteral
        let value: PythonLiteral
    }

    /// `nil` for text that is not one literal.
    init?(_ text: String) {
        var reader = LiteralReader(text)
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    /// A whole number, also one written as text.
    var integer: Int? {
        switch self {
        case .number(let number): Int(exactly: number)
        case .text(let text): Int(text)
        default: nil
        }
    }

    var string: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// The value of a dictionary's key.
    subscript(key: String) -> PythonLiteral? {
        guard case .dictionary(let entries) = self else { return nil }
        return entries.first { $0.key.string == key }?.value
    }

    /// The elements of a list, or of a dictionary with the keys 0, 1, … in any order.
    var elements: [PythonLiteral]? {
        switch self {
        case .list(let elements): return elements
        case .dictionary(let entries):
            var elements = [PythonLiteral?](repeating: nil, count: entries.count)
            for entry in entries {
                guard let index = entry.key.integer, elements.indices.contains(index), elements[index] == nil else {
                    return nil
                }
                elements[index] = entry.value
            }
            return elements.compactMap(\.self)
        default: return nil
        }
    }
}

private struct LiteralReader {
    private static let maximumDepth = 8

    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func skipSpace() {
        while let scalar = next, scalar.properties.isWhitespace { position += 1 }
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return next == nil
        }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == scalar else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) -> PythonLiteral? {
        guard depth < Self.maximumDepth else { return nil }
        skipSpace()
        switch next {
        case "{": return dictionary(depth: depth + 1)
        case "[": return list(until: "]", depth: depth + 1)
        case "(": return list(until: ")", depth: depth + 1)
        case "'", "\"": return string().map(PythonLiteral.text)
        default: return bare()
        }
    }

    private mutating func list(until end: Unicode.Scalar, depth: Int) -> PythonLiteral? {
        position += 1
        var elements: [PythonLiteral] = []
        while !take(end) {
            guard elements.isEmpty || take(",") else { return nil }
            if take(end) { break }
            guard let element = value(depth: depth) else { return nil }
            elements.append(element)
        }
        return .list(elements)
    }

    private mutating func dictionary(depth: Int) -> PythonLiteral? {
        position += 1
        var entries: [PythonLiteral.Entry] = []
        while !take("}") {
            guard entries.isEmpty || take(",") else { return nil }
            if take("}") { break }
            guard let key = value(depth: depth), take(":"), let value = value(depth: depth) else { return nil }
            entries.append(PythonLiteral.Entry(key: key, value: value))
        }
        return .dictionary(entries)
    }

    /// A number or a word.
    private mutating func bare() -> PythonLiteral? {
        let start = position
        while let scalar = next, scalar.properties.isAlphabetic || "0123456789+-._".unicodeScalars.contains(scalar) {
            position += 1
        }
        guard position > start else { return nil }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[start..<position])
        return Double(String(text)).map(PythonLiteral.number) ?? .word(String(text))
    }

    private mutating func string() -> String? {
        let quote = scalars[position]
        position += 1
        var text = String.UnicodeScalarView()
        while let scalar = next {
            position += 1
            if scalar == quote { return String(text) }
            guard scalar == "\\" else {
                text.append(scalar)
                continue
            }
            guard let escaped = escape() else { return nil }
            text.append(escaped)
        }
        return nil
    }

    /// What follows a backslash.
    private mutating func escape() -> Unicode.Scalar? {
        guard let kind = next else { return nil }
        position += 1
        switch kind {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "x": return hexadecimal(digits: 2)
        case "u": return hexadecimal(digits: 4)
        case "U": return hexadecimal(digits: 8)
        default: return kind
        }
    }

    private mutating func hexadecimal(digits: Int) -> Unicode.Scalar? {
        var code: UInt32 = 0
        for _ in 0..<digits {
            guard let value = next.flatMap({ Character($0).hexDigitValue }) else { return nil }
            code = code << 4 | UInt32(value)
            position += 1
        }
        return Unicode.Scalar(code)
    }
}
