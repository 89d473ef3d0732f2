import Foundation
import Sardonyx

/// Weights of a model as a table with small histograms.
enum WeightText {
    static func table(_ weights: [ModelWeight]) -> String {
        var table = TextTable([
            ("histogram", .left), ("range", .right), ("spread", .right), ("shape", .left), ("weight", .left),
        ])
        for weight in weights {
            guard let report = weight.report else {
                table.add("", "", "", "", weight.name)
                continue
            }
            let range = report.minimum.map { "\(number($0)) … \(number(report.maximum))" } ?? ""
            table.add(histogram(report), range, number(report.standardDeviation), shape(report), weight.name)
        }
        let unreadable = weights.filter { $0.report == nil }
        let suspicious = weights.filter { $0.report != nil && !$0.warnings.isEmpty }
        let bytes = weights.reduce(0) { $0 + $1.byteCount }
        var lines = [
            table.render(width: InspectText.width), "",
            "\(Units.counted(weights.count, "weight")), \(Units.bytes(bytes)), \(suspicious.count) to look at"
                + (suspicious.isEmpty ? "" : ":"),
        ]
        for weight in suspicious {
            let readers = weight.readers.prefix(2).joined(separator: ", ") + (weight.readers.count > 2 ? ", …" : "")
            lines += InspectText.wrapped(
                "\(weight.name): \(weight.warnings.joined(separator: ", ")); read by \(readers)", indent: 2)
        }
        if let first = unreadable.first {
            lines += ["", "\(unreadable.count) cannot be read, the first because of"]
            lines += InspectText.wrapped(first.warnings.joined(separator: ", "), indent: 2)
        }
        return lines.joined(separator: "\n")
    }

    static func number(_ value: Double?) -> String { value.map { String(format: "%.3g", $0) } ?? "" }

    /// `float32[64, 3, 7, 7]` → `64×3×7×7`; other element types in front.
    private static func shape(_ report: WeightReport) -> String {
        let parts = report.type.split(separator: "[", maxSplits: 1)
        let dims = parts.count == 2 ? parts[1].dropLast().replacingOccurrences(of: ", ", with: "×") : ""
        return parts.first == "float32" && !dims.isEmpty ? dims : "\(parts.first ?? "") \(dims)"
    }

    /// Eight columns, the tallest full.
    static func histogram(_ report: WeightReport) -> String {
        guard report.histogram.count >= 8 else { return "" }
        let width = report.histogram.count / 8
        let sums = (0..<8).map { report.histogram[$0 * width..<($0 + 1) * width].reduce(0, +) }
        return Sparkline.text(sums.map(Double.init))
    }
}
