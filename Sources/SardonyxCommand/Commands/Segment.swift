import ArgumentParser
import Detection
import Foundation
import Media
import Sardonyx

struct Segment: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find the objects in pictures: a table, overlay pictures, JSON, COCO results.",
        discussion: """
            Takes every model whose card names one of the detectors \
            (\(DetectorTable.names.joined(separator: ", "))), and models without a card that are recognised by their \
            graph (`sardonyx card MODEL` says as what). A picture that cannot be done is reported, and the others are \
            done; the exit code is the worst of all.

            Examples:
              sardonyx segment street.jpg --model yolo11n-seg.onnx
              sardonyx segment photos/ --model demo.onnx --out results --format overlay,json
              sardonyx segment val2017/ --model yolact.onnx --format coco --score 0 --out results
            """)

    /// What is written for each picture, or for all of them.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case overlay, json, coco, cutout
    }

    @Argument(help: ArgumentHelp("Pictures (JPEG, PNG, WebP) or directories of them.", valueName: "image"))
    var images: [String]

    @Option(name: .shortAndLong, help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(help: "The model card (default: beside the model, in its metadata, or as its graph suggests).")
    var card: String?
    @Option(name: .shortAndLong, help: "Directory for what is written.") var out = "."
    @Option(help: "What to write, separated by commas: overlay, json, coco, cutout.") var format = "overlay"
    @Option(parsing: .unconditional, help: "Leave out objects at or below this score (default: what the card says).")
    var score: Float?
    @Option(parsing: .unconditional, help: "At most this many objects (default: what the card says).") var topK: Int?
    @Option(
        help: """
            Suppression: \(NMS.all.map(\.name).joined(separator: ", ")) (default: \(NMS.fast.name) for yolact, \
            \(NMS.greedy.name) for the others; none where the graph has decided).
            """)
    var nms: String?
    @Option(parsing: .unconditional, help: "A pixel belongs to a mask above this value.") var maskThreshold: Float?
    @Flag(help: "Do not crop masks to their boxes.") var noCrop = false
    @Flag(help: "Take JPEG pixels as stored, whatever their EXIF orientation.") var ignoreExif = false
    @Flag(help: "Print JSON instead of tables.") var json = false
    @OptionGroup var modelFlags: ModelFlags
    @OptionGroup var timeLimit: TimeoutFlag
    @OptionGroup var session: SessionFlags

    func run() throws {
        let formats = try parsedFormats()
        let options = try detectionOptions()
        try options.validate()
        let paths = try PictureList.expand(images)
        let loaded = try modelFlags.load(model)
        let segmenter = try Segmenter(
            loaded.session(try session.options(), limits: timeLimit.deadline.limits), card: try modelCard(loaded))
        try OutputDirectory.create(out)
        var progress = ProgressLine(unit: "pictures")
        var writer = SegmentWriter(directory: out, formats: formats, paths: paths)
        var reports: [PictureReport] = []
        var hasSaidMasksLack = false
        var worst: Int32 = 0
        for (index, path) in paths.enumerated() {
            do {
                let image = try ImageFile.read(path, options: .init(appliesOrientation: !ignoreExif))
                let outcome = try segmenter.outcome(for: image, options: options, run: timeLimit.deadline.limits)
                let written = try writer.write(outcome.instances, of: image, index: index)
                let report = PictureReport(path, outcome, written)
                if formats.contains(.cutout), report.lacksMasks, !hasSaidMasksLack {
                    hasSaidMasksLack = true
                    progress.finish()
                    Console.error("no cutouts: \(segmenter.card.decoder) gives no masks with this model")
                }
                if json { reports.append(report) } else { Console.print(report.text) }
            } catch let error as SardonyxError {
                let placed = error.description.contains(path) ? error : error.adding(context: "segmenting \(path)")
                progress.finish()
                Console.error(placed.description)
                if json { reports.append(PictureReport(path, placed)) }
                worst = max(worst, placed.exitCode)
            }
            progress.show(index + 1, of: paths.count, path)
        }
        progress.finish()
        if let results = try writer.finish(), !json { Console.print("wrote \(results)") }
        if json { try Console.printJSON(reports) }
        if worst != 0 { throw ExitCode(worst) }
    }

    /// The card given, else the model's own, else the one that its graph is recognised by, which is said.
    /// - Returns: `nil` where `Segmenter` finds or misses one by itself.
    private func modelCard(_ loaded: Model) throws(SardonyxError) -> ModelCard? {
        if let card { return try ModelCard(contentsOf: card) }
        if let own = try loaded.card() { return own }
        guard let proposal = loaded.proposedCards().first else { return nil }
        var reason = proposal.reasons.first ?? ""
        if reason.last == "." { reason.removeLast() }
        Console.error(
            "recognised as \(proposal.card.decoder), \(proposal.confidence.rawValue): \(reason); "
                + "`sardonyx card \(model)` shows the card")
        return proposal.card
    }

    private func parsedFormats() throws(SardonyxError) -> Set<Format> {
        var formats = Set<Format>()
        for name in format.split(separator: ",", omittingEmptySubsequences: false) {
            guard let parsed = Format(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
                throw SardonyxError(
                    .usage, "--format", "unknown", got: "'\(name)'",
                    allowed: Format.allCases.map(\.rawValue).joined(separator: ", "))
            }
            formats.insert(parsed)
        }
        return formats
    }

    private func detectionOptions() throws(SardonyxError) -> DetectionOptions {
        let suppression = try nms.map { (name) throws(SardonyxError) -> NMS in
            if let kind = NMS(name: name) { return kind }
            throw SardonyxError(
                .usage, "--nms", "unknown", got: "'\(name)'", allowed: NMS.all.map(\.name).joined(separator: ", "))
        }
        return DetectionOptions(
            scoreThreshold: score, topK: topK, nms: suppression, cropsMasks: !noCrop, maskThreshold: maskThreshold)
    }
}
