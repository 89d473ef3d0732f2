import Foundation
import Sardonyx

/// NaN and infinities.
struct NotFiniteText {
    private let report: NotFiniteReport
    private let model: String?
    private static let shown = 10

    init(_ report: NotFiniteReport, model: String?) {
        self.report = report
        self.model = model
    }

    var text: String {
        let place = model.map { "\($0): " } ?? ""
        guard !report.isFinite else { return "\(place)no NaN and no infinity in \(report.valueCount) values" }
        var lines = ["\(place)NaN or infinities in \(report.affectedCount) of \(report.valueCount) values"]
        for origin in report.origins.prefix(Self.shown) {
            lines.append(Self.what(origin))
            if !origin.origins.isEmpty { lines.append("  computes \(origin.origins.joined(separator: ", "))") }
            lines += origin.inputs.map { "  reads \($0.value): \(Self.contents($0.contents))" }
        }
        if report.origins.count > Self.shown { lines.append("… and \(report.origins.count - Self.shown) more") }
        return lines.joined(separator: "\n")
    }

    private static func what(_ origin: NotFiniteReport.Origin) -> String {
        let contents = contents(origin.contents)
        switch origin.kind {
        case .given: return "The \(origin.operatorName) '\(origin.value)' holds them: \(contents)"
        case .nan: return "\(origin.label) makes NaN out of finite numbers (step \(origin.step)): \(contents)"
        case .nanFromInfinity: return "\(origin.label) makes NaN out of infinities (step \(origin.step)): \(contents)"
        case .infinity: return "\(origin.label) makes infinities (step \(origin.step)): \(contents)"
        }
    }

    private static func contents(_ contents: NotFiniteReport.Contents) -> String {
        var parts: [String] = []
        if let minimum = contents.minimum, let maximum = contents.maximum {
            parts.append("\(NumberText.short(minimum)) to \(NumberText.short(maximum))")
        }
        if contents.nan > 0 { parts.append("\(contents.nan) NaN") }
        if contents.infinite > 0 { parts.append("\(contents.infinite) infinite") }
        if let first = contents.first { parts.append("the first is element \(first) of \(contents.count)") }
        return parts.isEmpty ? "\(contents.count) elements" : parts.joined(separator: ", ")
    }
}
