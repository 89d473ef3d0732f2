import Foundation
import Sardonyx

extension ProfilePicture {
    private static let boxHeight = 84.0
    private static let strip = 5.0
    /// More workers than this are not drawn.
    private static let mostWorkers = 8

    /// The nodes in the order of execution, line by line as a text is read, then what is outside of nodes.
    /// - Returns: where the next part may begin.
    mutating func drawTimeline(at top: Double) -> Double {
        let total = profile.steps.reduce(profile.outsideMilliseconds) { $0 + $1.cost.milliseconds }
        guard total > 0, !profile.steps.isEmpty else { return top }
        let workers = profile.machine.threads <= Self.mostWorkers ? profile.machine.threads : 0
        let y = drawTitle(
            "The run",
            "Read line by line. A box is a node, its width its median time, its filled part what the machine's bound needs: "
                + "FMA peak or memory bandwidth, whichever takes longer."
                + (workers > 1 ? " Below it, its workers." : ""),
            at: top)
        let rows = min(5, max(1, (profile.steps.count + 23) / 24))
        let rowTime = total / Double(rows)
        let rowHeight = Self.boxHeight + Double(workers) * (Self.strip + 1) + 26
        for row in 0..<rows {
            let line = TimelineRow(
                start: Double(row) * rowTime, end: Double(row + 1) * rowTime, y: y + Double(row) * rowHeight)
            canvas.rect(Self.margin, line.y, Self.inner, Self.boxHeight, fill: "#f0f2f5", tip: "outside of nodes")
            drawAxis(line, at: line.y + rowHeight - 22)
            var start = 0.0
            for (step, span) in zip(profile.steps, profile.timeline.steps) {
                let end = start + step.cost.milliseconds
                draw(step, from: start, to: end, in: line)
                draw(span.workers.filter { $0.worker < workers }, of: step, span, from: start, to: end, in: line)
                start = end
            }
        }
        return y + Double(rows) * rowHeight
    }

    private mutating func draw(_ step: Profile.Step, from start: Double, to end: Double, in row: TimelineRow) {
        guard let (left, right) = row.pixels(start, end) else { return }
        // A node on two lines carries its label in the larger part.
        let isLabelled = (right - left) * 2 >= (end - start) * row.scale
        drawBox(step, left, row.y, right - left, isLabelled: isLabelled)
    }

    /// When each worker was at work, as in the round that took the least time.
    private mutating func draw(
        _ workers: [Profile.Timeline.Worker], of step: Profile.Step, _ span: Profile.Timeline.Span,
        from start: Double, to end: Double, in row: TimelineRow
    ) {
        let duration = span.endMilliseconds - span.startMilliseconds
        guard duration > 0 else { return }
        for worker in workers {
            func place(_ time: Double) -> Double {
                start + (time - span.startMilliseconds) / duration * (end - start)
            }
            guard let (left, right) = row.pixels(place(worker.startMilliseconds), place(worker.endMilliseconds)) else {
                continue
            }
            canvas.rect(
                left, row.y + Self.boxHeight + 2 + Double(worker.worker) * (Self.strip + 1), right - left, Self.strip,
                fill: OperatorClass(step).color,
                tip: String(format: "worker %d: busy %.3f ms", worker.worker, worker.busyMilliseconds))
        }
    }

    private mutating func drawBox(_ step: Profile.Step, _ x: Double, _ y: Double, _ width: Double, isLabelled: Bool) {
        let kind = OperatorClass(step)
        let filled = Self.boxHeight * step.cost.boundFraction
        let shown = max(width - 0.6, 0.4)
        let tip = tip(step)
        canvas.rect(x, y, shown, Self.boxHeight, fill: kind.tint, tip: tip)
        canvas.rect(x, y + Self.boxHeight - filled, shown, filled, fill: kind.color, tip: tip)
        guard isLabelled else { return }
        let isPlain = step.algorithm.isEmpty || step.algorithm == "direct"
        let head = isPlain ? step.kind : width >= 120 ? step.method : step.algorithm
        let time = Self.short(step.cost.milliseconds)
        if width >= 58 {
            let peak = step.cost.fractionOfPeak.map { " · \(ProfileText.percent($0)) %" } ?? ""
            let isWide = SVGCanvas.fitted("\(time) ms\(peak)", size: 10.5, width: width - 8)?.first != "…"
            let lines = [
                (head, 11.5, 600), (step.shortTitle, 10.5, 400), (ProfileText.shape(step), 10.5, 400),
                ("\(time) ms\(isWide ? peak : "")", 10.5, 400),
            ]
            for (line, text) in lines.enumerated() {
                if let fitted = SVGCanvas.fitted(text.0, size: text.1, width: width - 8) {
                    canvas.text(fitted, x + 5, y + 16 + 15 * Double(line), size: text.1, weight: text.2)
                }
            }
        } else if width >= 13 {
            let room = Self.boxHeight - 10
            let texts = width >= 26 ? ["\(head) \(time)", step.shortTitle] : ["\(time) \(step.shortTitle)"]
            for (line, text) in texts.enumerated() {
                let fitted = SVGCanvas.fitted(text, size: 9.5, width: room) ?? ""
                let offset = width / 2 + 3.5 + (Double(line) - Double(texts.count - 1) / 2) * 12
                canvas.text(fitted, x + offset, y + Self.boxHeight - 5, size: 9.5, isVertical: true)
            }
        }
    }

    private mutating func drawAxis(_ row: TimelineRow, at y: Double) {
        let step = Self.niceStep((row.end - row.start) / 8)
        var tick = (row.start / step).rounded(.up)
        while tick * step <= row.end + step * 1e-6 {
            let x = Self.margin + (tick * step - row.start) * row.scale
            canvas.line(x, y - 2, x, y + 2, stroke: SVGCanvas.faint)
            canvas.text(
                String(format: "%g ms", tick * step), x, y + 13, size: 10, fill: SVGCanvas.faint, anchor: .middle)
            tick += 1
        }
    }

    /// 1, 2 or 5 times a power of ten, at least `value`.
    private static func niceStep(_ value: Double) -> Double {
        let magnitude = pow(10, floor(log10(max(value, 1e-9))))
        return ([1, 2, 5, 10].first { $0 * magnitude >= value } ?? 10) * magnitude
    }

    static func short(_ milliseconds: Double) -> String {
        String(format: milliseconds < 1 ? "%.2f" : milliseconds < 100 ? "%.1f" : "%.0f", milliseconds)
    }
}

/// One line of the schedule: a range of time in milliseconds across the picture.
private struct TimelineRow {
    let start, end, y: Double

    /// Pixels by millisecond.
    var scale: Double { ProfilePicture.inner / (end - start) }

    /// Left and right of the part of a range that lies in this line; `nil` without any.
    func pixels(_ from: Double, _ to: Double) -> (left: Double, right: Double)? {
        let (from, to) = (max(from, start), min(to, end))
        guard to > from else { return nil }
        return (ProfilePicture.margin + (from - start) * scale, ProfilePicture.margin + (to - start) * scale)
    }
}
