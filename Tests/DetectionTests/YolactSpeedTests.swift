import Glibc
import NumpyIO
import TensorCore
import Testing

@testable import Detection

/// Times, printed and never judged: `SARDONYX_TIMES=1 swift test … --filter YolactSpeedTests`.
@Suite(.serialized, .enabled(if: getenv("SARDONYX_TIMES") != nil)) struct YolactSpeedTests {
    @Test func postProcessing() throws {
        let reference = try YolactPostprocessTests.Reference("yolact_resnet50_seed3")
        let decoder = try YolactDecoder(card: reference.card)
        for threads in [1, 2] {
            for (name, options) in [
                ("Fast NMS", DetectionOptions(nms: .fast)), ("cross-class NMS", DetectionOptions(nms: .crossClass)),
                ("traditional NMS", DetectionOptions(nms: .traditional)),
                ("Fast NMS, masks not cut", DetectionOptions(cropsMasks: false)),
            ] {
                var count = 0
                try measure("\(name), 640×427, \(threads) threads") {
                    count = try decoder.decode(
                        outputs: reference.tensors, imageWidth: 640, imageHeight: 427, options: options,
                        threads: threads
                    ).count
                }
                print("    \(count) detections")
            }
        }
    }

    @Test func suppressionAlone() throws {
        let reference = try YolactPostprocessTests.Reference("yolact_resnet50_seed3")
        let decoder = try YolactDecoder(card: reference.card)
        let heads = try YolactOutputs(
            reference.tensors, decoder.roles, batchIndex: 0, classes: 80)
        try measure("candidates and boxes, 1 thread") { _ = try decoder.anchors(heads, threads: 1) }
        let anchors = try decoder.anchors(heads, threads: 1)
        for nms in NMS.all {
            try measure("\(nms.name) NMS of \(anchors.rows.count) anchors, alone") {
                _ = nms.select(
                    anchors,
                    .init(
                        confidenceThreshold: 0.05, iouThreshold: 0.5, topK: 200, maximumDetections: 100,
                        scoreThreshold: 0, inputWidth: 550, inputHeight: 550))
            }
        }
        withExtendedLifetime(reference) {}
    }

    @Test func preprocessing() throws {
        var random = SystemRandomNumberGenerator()
        let pixels = (0..<640 * 427 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
        let image = try Image(width: 640, height: 427, pixels: pixels)
        let preprocessor = Preprocessor(try ModelCard.Input(geometry: .stretch(width: 550, height: 550)))
        for threads in [1, 2] {
            try measure("preprocessing 640×427 to 550×550, \(threads) threads") {
                _ = try preprocessor.tensor(for: image, threads: threads)
            }
        }
    }

    /// Wall-clock time, and processor time of all threads, which other programs disturb less.
    private func measure(_ what: String, _ body: () throws -> Void) throws {
        var wall: [Double] = []
        var processor: [Double] = []
        for _ in 0..<40 {
            let start = (now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID))
            try body()
            wall.append(now(CLOCK_MONOTONIC) - start.0)
            processor.append(now(CLOCK_PROCESS_CPUTIME_ID) - start.1)
        }
        wall.sort()
        processor.sort()
        print("\(what): \(text(wall)), processor \(text(processor))")
    }

    private func text(_ sorted: [Double]) -> String {
        [("min", sorted[0]), ("median", sorted[sorted.count / 2])]
            .map { "\($0) \(($1 * 100).rounded() / 100) ms" }.joined(separator: ", ")
    }

    /// Milliseconds.
    private func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) * 1e-6
    }
}
