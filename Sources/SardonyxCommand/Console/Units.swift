import Foundation

/// Quantities as people read them.
enum Units {
    static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
    }

    static func text(_ duration: Duration) -> String { text(milliseconds: milliseconds(duration)) }

    static func text(milliseconds: Double) -> String {
        String(format: milliseconds < 10 ? "%.2f ms" : milliseconds < 1e4 ? "%.1f ms" : "%.0f ms", milliseconds)
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
