import Foundation
import Glibc
import GraphIR

/// Where things are printed: results on standard output, everything else on standard error.
enum Console {
    static func error(_ text: String) { write(printable(text) + "\n") }

    /// Text on standard output, safe for the terminal whatever the model says.
    static func print(_ text: String) { Swift.print(printable(text)) }

    /// Text with control characters escaped, but for line ends and what `styled` makes: names come from model files.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var shown = ""
        var rest = text[...]
        while let scalar = rest.unicodeScalars.first {
            if showsColor, let sequence = styles.first(where: rest.hasPrefix) {
                shown += sequence
                rest = rest.dropFirst(sequence.count)
                continue
            }
            if isControl(scalar) {
                shown += scalar.hexadecimalEscape
            } else {
                shown.unicodeScalars.append(scalar)
            }
            rest = Substring(rest.unicodeScalars.dropFirst())
        }
        return shown
    }

    /// Text with line ends escaped, too.
    static func oneLine(_ text: String) -> String {
        printable(text).replacingOccurrences(of: "\n", with: "\\x0a")
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control && scalar != "\n"
    }

    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// How text stands out on a terminal.
    enum Style: Int, CaseIterable {
        case bold = 1
        case red = 31
        case green = 32
    }

    /// On a terminal that shows it, unless `NO_COLOR` says otherwise (https://no-color.org).
    private static let showsColor: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isatty(STDOUT_FILENO) == 1 && environment["NO_COLOR", default: ""].isEmpty
            && environment["TERM"] != "dumb"
    }()

    /// Text for standard output.
    static func styled(_ text: String, _ style: Style) -> String {
        showsColor ? sequence(style.rawValue) + text + sequence(0) : text
    }

    private static let styles = ([0] + Style.allCases.map(\.rawValue)).map(sequence)
    private static func sequence(_ number: Int) -> String { "\u{1B}[\(number)m" }

    /// Columns of a line: of the terminal, at least 80; 120 where standard output is none.
    static var width: Int {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 120
        }
        return max(80, Int(size.ws_col))
    }

    static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// An encodable value as JSON on standard output.
    static func printJSON(_ value: some Encodable) throws { Swift.print(try json(value)) }

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// A line on standard error that says how far a long job is; silent for the first second and when nobody watches.
struct ProgressLine {
    private let unit: String
    private let start = ContinuousClock.now
    private var isShown = false
    private var last = ContinuousClock.now

    init(unit: String) { self.unit = unit }

    mutating func show(_ done: Int, of total: Int, _ detail: String = "") {
        let now = ContinuousClock.now
        guard Console.showsProgress, now - start > .seconds(1), now - last > .milliseconds(100) else { return }
        last = now
        isShown = true
        Console.write("\r\u{1B}[K\(done)/\(total) \(unit) \(Console.printable(detail))")
    }

    /// Takes the line away.
    func finish() {
        if isShown { Console.write("\r\u{1B}[K") }
    }
}
