import ArgumentParser
import Detection
import Foundation
import Sardonyx

/// Whether a card fits a model: first by what the graph declares, then by one run on a grey picture.
struct CardCheck {
    /// The card's file.
    let card: String
    /// The model's file.
    let model: String

    /// - Throws: the first mismatch, after all have been said.
    func run(_ loaded: Model) throws {
        let parsed = try ModelCard(contentsOf: card)
        let mismatches = loaded.mismatches(with: parsed)
        for mismatch in mismatches { Console.error(mismatch.description) }
        if let first = mismatches.first { throw ExitCode(first.exitCode) }
        let segmenter = try Segmenter(loaded.session(), card: parsed)
        let picture = try Image(width: 320, height: 240, red: 128, green: 128, blue: 128)
        _ = try segmenter.segment(picture, options: DetectionOptions(scoreThreshold: 0))
        Console.print("\(card) fits \(model): \(parsed.decoder), \(parsed.labels.count) labels")
    }
}
