import Foundation
import Sardonyx

/// Numbers of comparisons.
enum NumberText {
    /// Two digits.
    static func short(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        return number == 0 ? "0" : String(format: "%.2g", number)
    }

    static func decibels(_ number: Double) -> String {
        number.isFinite ? String(format: "%.1f", number) : number > 0 ? "exact" : "-inf"
    }

    private static func exact(_ number: Double) -> String {
        number.isFinite ? String(format: "%.9g", number) : short(number)
    }

    /// About an error, in two lines: its size, and the worst element with both values.
    static func details(_ error: TensorError) -> String {
        guard let worst = error.worst else { return "equal" }
        var text =
            "max abs \(short(error.maxAbsolute)), \(short(error.excess)) × tolerance, cosine "
            + String(format: "%.7f", error.cosine)
        if error.beyondCount > 0 { text += ", \(error.beyondCount) of \(error.count) beyond" }
        for (name, count, other) in [
            ("NaN", error.actualNotFinite.nan, error.referenceNotFinite.nan),
            ("infinite", error.actualNotFinite.infinite, error.referenceNotFinite.infinite),
        ] where count + other > 0 {
            text += ", \(name): \(count), in the reference \(other)"
        }
        return text
            + "\n    worst at \(worst.index): \(exact(worst.actual)), in the reference \(exact(worst.reference))"
    }
}
