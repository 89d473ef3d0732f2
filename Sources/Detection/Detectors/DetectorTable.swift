import TensorCore

/// The detectors by the name that a card's `decoder` gives.
public enum DetectorTable {
    static let detectors: [String: any Detector.Type] = [
        "yolact": YolactDecoder.self
    ]

    public static var names: [String] { detectors.keys.sorted() }

    /// The detector that the card asks for.
    /// - Throws: `unsupported` for an unknown name, `parse` for a card that it refuses.
    public static func detector(for card: ModelCard) throws(SardonyxError) -> any Detector {
        guard let type = detectors[card.decoder] else {
            throw SardonyxError(
                .unsupported, "model card 'decoder'", "unknown detector", got: "\"\(card.decoder)\"",
                allowed: names.joined(separator: ", "))
        }
        return try type.init(card: card)
    }
}
