import Foundation
import Sardonyx

extension ProfilePicture {
    /// Executed multiply-accumulates a second over those per byte, both logarithmic, the right half of the picture.
    /// - Returns: where the next part may begin.
    mutating func drawRoofline(at top: Double) -> Double {
        let (peak, bandwidth) = (profile.machine.fmaGMACsPerSecond, profile.machine.readGBPerSecond)
        let points = profile.steps.filter {
            ($0.cost.executedGMACsPerSecond ?? 0) > 0 && $0.cost.byteCount > 0
        }
        guard !points.isEmpty, peak > 0, bandwidth > 0 else { return top }
        let left = 700.0
        let y = drawTitle(
            "Roofline", "A circle is a node with multiply-accumulates, its area its time.", at: top, x: left - 40)
        let intensities = points.map(Self.intensity)
        let rates = points.compactMap(\.cost.executedGMACsPerSecond)
        let plot = RooflinePlot(
            left: left, top: y, width: 1200 - Self.margin - left, height: 270,
            intensity: (
                min(intensities.min() ?? 1, peak / bandwidth / 4), max(intensities.max() ?? 1, peak / bandwidth * 4)
            ),
            rate: (min(rates.min() ?? peak, peak / 30), peak * 1.6))
        drawGrid(plot)
        let ridge = peak / bandwidth
        let start = max(plot.intensityRange.0, plot.rateRange.0 / bandwidth)
        canvas.line(
            plot.x(start), plot.y(start * bandwidth), plot.x(ridge), plot.y(peak), stroke: SVGCanvas.ink, width: 1.6)
        canvas.line(
            plot.x(ridge), plot.y(peak), plot.x(plot.intensityRange.1), plot.y(peak), stroke: SVGCanvas.ink, width: 1.6)
        for step in ProfileOrder.time.sorted(points) {
            let radius = min(26, max(2, 60 * step.cost.share.squareRoot()))
            canvas.circle(
                plot.x(Self.intensity(step)), plot.y(step.cost.executedGMACsPerSecond ?? 0), radius: radius,
                fill: OperatorClass(step).color, opacity: 0.8, tip: tip(step))
        }
        canvas.text(
            String(format: "%.0f GMAC/s", peak), plot.x(plot.intensityRange.1) - 4, plot.y(peak) - 6, size: 11,
            weight: 600, anchor: .end)
        let middle = (start * ridge).squareRoot()
        canvas.text(
            String(format: "%.0f GB/s", bandwidth), plot.x(middle) - 6, plot.y(middle * bandwidth) - 4, size: 11,
            weight: 600, anchor: .end)
        return y + 270 + 34
    }

    private static func intensity(_ step: Profile.Step) -> Double {
        Double(step.cost.executedMultiplyAccumulates) / Double(max(step.cost.byteCount, 1))
    }

    private mutating func drawGrid(_ plot: RooflinePlot) {
        for value in plot.decades(plot.intensityRange) {
            canvas.line(plot.x(value), plot.top, plot.x(value), plot.top + plot.height)
            canvas.text(
                String(format: "%g", value), plot.x(value), plot.top + plot.height + 14, size: 10,
                fill: SVGCanvas.faint, anchor: .middle)
        }
        for value in plot.decades(plot.rateRange) {
            canvas.line(plot.left, plot.y(value), plot.left + plot.width, plot.y(value))
            canvas.text(
                String(format: "%g", value), plot.left - 6, plot.y(value) + 3.5, size: 10, fill: SVGCanvas.faint,
                anchor: .end)
        }
        canvas.text(
            "executed multiply-accumulates per byte", plot.left + plot.width, plot.top + plot.height + 28, size: 10.5,
            fill: SVGCanvas.faint, anchor: .end)
        canvas.text("GMAC/s", plot.left + 5, plot.top + 10, size: 10.5, fill: SVGCanvas.faint)
    }
}

/// Two logarithmic axes.
private struct RooflinePlot {
    let left, top, width, height: Double
    let intensityRange, rateRange: (Double, Double)

    init(left: Double, top: Double, width: Double, height: Double, intensity: (Double, Double), rate: (Double, Double))
    {
        (self.left, self.top, self.width, self.height) = (left, top, width, height)
        self.intensityRange = (intensity.0 / 1.5, intensity.1 * 1.5)
        self.rateRange = (rate.0 / 1.3, rate.1)
    }

    func x(_ value: Double) -> Double {
        left + width * log(value / intensityRange.0) / log(intensityRange.1 / intensityRange.0)
    }
    func y(_ value: Double) -> Double {
        top + height * (1 - log(value / rateRange.0) / log(rateRange.1 / rateRange.0))
    }

    /// 1, 10, 100 … inside a range.
    func decades(_ range: (Double, Double)) -> [Double] {
        let (low, high) = (log10(range.0).rounded(.up), log10(range.1).rounded(.down))
        guard low <= high, low > -30, high < 30 else { return [] }
        return stride(from: low, through: high, by: 1).map { pow(10, $0) }
    }
}
