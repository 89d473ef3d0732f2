import ArgumentParser
import Detection
import Foundation
import Sardonyx

struct CardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "card",
        abstract: "Show a model's card, or propose one from its graph; check a card against a model.",
        discussion: """
            A card says what the graph does not: how a picture becomes the input and what the outputs mean. It lies \
            beside the model (model.onnx, model.card.json) or in its metadata. Without one, names, shapes and metadata \
            of the graph suggest one; how surely and why is said on standard error. Look through what was assumed.

            Examples:
              sardonyx card yolo11n-seg.onnx
              sardonyx card detr.onnx > detr.card.json
              sardonyx card detr.onnx --write
              sardonyx card detr.onnx --check other.card.json
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Flag(help: "Show every proposal, the surest first, whether or not the model has a card.") var all = false
    @Option(help: ArgumentHelp("Check this card against the model, also by running it.", valueName: "card"))
    var check: String?
    @Flag(help: "Write the surest proposal beside the model.") var write = false
    @Flag(help: "With --write: replace a card that is there.") var force = false
    @Flag(help: "Print JSON with confidence and reasons; with --all a list.") var json = false
    @OptionGroup var modelFlags: ModelFlags

    func validate() throws {
        if check != nil, all || write { throw ValidationError("--check goes with neither --all nor --write") }
        if force, !write { throw ValidationError("--force goes with --write") }
    }

    func run() throws {
        let loaded = try modelFlags.load(model)
        if let check { return try CardCheck(card: check, model: model).run(loaded) }
        if !all, !write, let card = try loaded.card() {
            let place = loaded.cardPath.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
            return try show([
                CardReport(card: card, source: place ?? "metadata key \(ModelCard.metadataKey)")
            ])
        }
        let reports = loaded.proposedCards().map { CardReport($0, for: model) }
        guard let best = reports.first else {
            throw SardonyxError(
                .input, model, "the graph's outputs are like none of the known detectors'",
                got: loaded.outputs.map(\.description).joined(separator: ", "),
                hint: "Write a card after schemas/model-card.schema.json and give it with --card")
        }
        let place = write ? try place(beside: loaded) : nil
        try show(all ? reports : [best])
        guard let place else { return }
        try WholeFile.write([Array((try CardText.text(best.card) + "\n").utf8)], to: place, as: .input)
        if !json { Console.print("wrote \(place)") }
    }

    private func show(_ reports: [CardReport]) throws {
        for report in reports { Console.error(report.text) }
        if json {
            if all { try Console.printJSON(reports) } else { try reports.first.map { try Console.printJSON($0) } }
        } else if !write {
            for report in reports { Console.print(try CardText.text(report.card)) }
        }
    }

    /// Where to write the card.
    private func place(beside loaded: Model) throws(SardonyxError) -> String {
        guard let path = loaded.cardPath else {
            throw SardonyxError(.usage, model, "a card lies beside models named .onnx only")
        }
        guard force || !FileManager.default.fileExists(atPath: path) else {
            throw SardonyxError(.usage, path, "a card is there", hint: "--force replaces it")
        }
        return path
    }
}

/// A card, and where it comes from.
struct CardReport: Encodable {
    let card: ModelCard
    /// Where it was found; `nil` for a proposal.
    let source: String?
    /// `nil` for a card that was found.
    let confidence: String?
    let reasons: [String]

    init(card: ModelCard, source: String) {
        self.card = card
        self.source = source
        (confidence, reasons) = (nil, [])
    }

    /// The proposal's card takes the model file's name.
    init(_ proposal: CardProposal, for model: String) {
        let name = ((model as NSString).lastPathComponent as NSString).deletingPathExtension
        card = (try? proposal.card.named(name)) ?? proposal.card
        source = nil
        confidence = proposal.confidence.rawValue
        reasons = proposal.reasons
    }

    /// For standard error.
    var text: String {
        guard let confidence else { return "\(card.decoder): the model's card, \(source ?? "given")" }
        return (["\(card.decoder), \(confidence):"] + reasons.map { "  \($0)" }).joined(separator: "\n")
    }
}
