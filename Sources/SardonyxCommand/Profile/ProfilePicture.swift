import Foundation
import Sardonyx

/// A profile as a picture: the schedule with widths by time, the operators, the roofline, and the nodes that lose most.
struct ProfilePicture {
    let profile: Profile
    let title: String
    var canvas = SVGCanvas(width: 1200)

    /// Left and right of everything.
    static let margin = 40.0
    static let inner = 1200 - 2 * margin
    static let gap = 44.0

    init(_ profile: Profile, title: String) {
        self.profile = profile
        self.title = title
    }

    /// The SVG document.
    static func render(_ profile: Profile, title: String) -> String {
        var picture = ProfilePicture(profile, title: title)
        var y = picture.drawHeader()
        y = picture.drawTimeline(at: y) + gap
        y = max(picture.drawOperators(at: y), picture.drawRoofline(at: y)) + gap
        y = picture.drawLosses(at: y) + 30
        return picture.canvas.document(height: y, title: "Profile of \(title)")
    }

    // MARK: Header

    private mutating func drawHeader() -> Double {
        let (run, machine) = (profile.run, profile.machine)
        let name = SVGCanvas.fitted(title, size: 24, width: 560) ?? title
        canvas.text(name, Self.margin, 52, size: 24, weight: 700)
        let threads = machine.threads == 1 ? "1 thread" : "\(machine.threads) threads"
        canvas.text(
            "Median of \(profile.rounds) runs on \(threads), \(machine.isa); peaks measured beside them: "
                + String(format: "%.0f GMAC/s, %.0f GB/s", machine.fmaGMACsPerSecond, machine.readGBPerSecond),
            Self.margin, 74, size: 12.5, fill: SVGCanvas.faint)
        let loss = max(0, run.milliseconds - run.boundMilliseconds) / max(run.milliseconds, 1e-9)
        var figures = [(Units.text(milliseconds: run.milliseconds), "a run")]
        if let direct = run.directGMACsPerSecond, let fraction = run.fractionOfPeak {
            figures.append((Units.count(run.multiplyAccumulates), "MACs"))
            figures.append((ProfileText.rate(direct), "GMAC/s direct"))
            figures.append((ProfileText.percent(fraction) + " %", "of peak, executed"))
        } else {
            figures.append((String(format: "%.0f %%", loss * 100), "above the bound"))
        }
        for (index, figure) in figures.reversed().enumerated() {
            let x = 1200 - Self.margin - Double(index) * 140
            canvas.text(figure.0, x, 52, size: 22, weight: 600, anchor: .end)
            canvas.text(figure.1, x, 74, size: 11.5, fill: SVGCanvas.faint, anchor: .end)
        }
        canvas.line(Self.margin, 92, 1200 - Self.margin, 92)
        return drawLegend(at: 116)
    }

    private mutating func drawLegend(at y: Double) -> Double {
        var times: [OperatorClass: Double] = [:]
        for step in profile.steps { times[OperatorClass(step), default: 0] += step.cost.share }
        var x = Self.margin
        for kind in OperatorClass.allCases {
            guard let share = times[kind] else { continue }
            let text = "\(kind.rawValue) \(String(format: share < 0.0995 ? "%.1f" : "%.0f", share * 100)) %"
            canvas.rect(x, y - 10, 12, 12, fill: kind.color, radius: 2)
            canvas.text(text, x + 18, y, size: 12)
            x += 34 + SVGCanvas.width(of: text, size: 12)
        }
        return y + 30
    }

    // MARK: Shared parts

    mutating func drawTitle(_ title: String, _ explanation: String, at y: Double, x: Double = ProfilePicture.margin)
        -> Double
    {
        canvas.text(title, x, y, size: 16, weight: 700)
        canvas.text(explanation, x, y + 18, size: 11.5, fill: SVGCanvas.faint)
        return y + 32
    }

    /// A bar whose filled part is what the machine's bound leaves necessary.
    mutating func drawBar(
        _ x: Double, _ y: Double, width: Double, height: Double, bound: Double, _ kind: OperatorClass, tip: String
    ) {
        canvas.rect(x, y, width, height, fill: kind.tint, radius: 2, tip: tip)
        canvas.rect(x, y, width * min(1, max(0, bound)), height, fill: kind.color, radius: 2, tip: tip)
    }

    /// What a step's box says to the pointer.
    func tip(_ step: Profile.Step) -> String {
        var parts = [
            "\(step.title)", step.method,
            ProfileText.shape(step), ProfileText.milliseconds(step.cost.milliseconds) + " ms",
        ]
        if let rate = step.cost.executedGMACsPerSecond {
            parts.append(
                "\(ProfileText.rate(rate)) GMAC/s (\(ProfileText.percent(step.cost.fractionOfPeak)) % of peak)")
        }
        parts.append("\(ProfileText.rate(step.cost.gbPerSecond)) GB/s")
        if let imbalance = step.imbalance { parts.append(String(format: "imbalance %.2f", imbalance)) }
        return parts.joined(separator: ", ")
    }
}

extension Profile.Cost {
    /// The part of its time that the machine's peaks leave necessary: 0 to 1.
    var boundFraction: Double { milliseconds > 0 ? min(1, boundMilliseconds / milliseconds) : 0 }
}
