import TensorCore

/// The detectors by the name that a card's `decoder` gives.
public enum DetectorTable {
    static let detectors: [String: any Detector.Type] = [
        "classification": ClassificationDecoder.self,
        "detr": DetrDecoder.self,
        "fcos": FCOSDecoder.self,
        "instances": InstancesDecoder.self,
        "mask2former": Mask2FormerDecoder.self,
        "nanodet": NanodetDecoder.self,
        "retinanet": RetinaNetDecoder.self,
        "semantic": SemanticDecoder.self,
        "ssd": SSDDecoder.self,
        "yolact": YolactDecoder.self,
        "yolo": YoloDecoder.self,
        "yolox": YoloxDecoder.self,
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

    /// Cards that would fit a graph, the surest first.
    public static func proposals(for graph: GraphSignature) -> [CardProposal] {
        detectors.sorted { $0.key < $1.key }.compactMap { $0.value.recognize(graph) }
            .enumerated().sorted { a, b in
                a.element.confidence == b.element.confidence
                    ? a.offset < b.offset : a.element.confidence > b.element.confidence
            }.map(\.element)
    }
}
