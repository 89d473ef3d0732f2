import Foundation
import TensorCore

/// Quantities as people read them.
enum Units {
    static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
    }

    static func text(_ duration: Duration) -> String { text(milliseconds: milliseconds(duration)) }

    static func text(milliseconds: Double) -> String {
        if milliseconds < 1 { return String(format: "%.1f µs", milliseconds * 1e3) }
        return String(format: milliseconds < 10 ? "%.2f ms" : milliseconds < 1e4 ? "%.1f ms" : "%.0f ms", milliseconds)
    }

    /// 1.5G, 512MiB → bytes: K, M, G, T and KiB … are powers of 1024, KB … of 1000; `nil` for anything else and for 0.
    static func byteCount(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text[digits.endIndex...].trimmingCharacters(in: .whitespaces).uppercased()
        guard let number = Double(digits), number > 0 else { return nil }
        let (prefix, ending) = (unit.first.flatMap { "KMGT".firstIndex(of: $0) }, unit.dropFirst())
        let factor: Double
        switch (prefix, ending) {
        case (nil, ""): factor = unit.isEmpty || unit == "B" ? 1 : 0
        case (let prefix?, ""), (let prefix?, "IB"):
            factor = pow(1024, Double("KMGT".distance(from: "KMGT".startIndex, to: prefix) + 1))
        case (let prefix?, "B"):
            factor = pow(1000, Double("KMGT".distance(from: "KMGT".startIndex, to: prefix) + 1))
        default: return nil
        }
        return CheckedSize.integer(number * factor).flatMap { $0 > 0 ? $0 : nil }
    }

    /// 1536 → 1.5 KiB.
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 || unit == "GiB" { return String(format: unit == "B" ? "%.0f %@" : "%.1f %@", value, unit) }
            value /= 1024
        }
        return "\(count) B"
    }

    /// 1, node → 1 node; 2, node → 2 nodes.
    static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// 59100000000 → 59.1 G.
    static func count(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["", " k", " M", " G", " T"] {
            if value < 1000 || unit == " T" { return String(format: unit.isEmpty ? "%.0f" : "%.2f%@", value, unit) }
            value /= 1000
        }
        return "\(count)"
    }
}
