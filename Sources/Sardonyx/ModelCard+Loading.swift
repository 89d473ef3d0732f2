import Detection
import FoundationEssentials
import Glibc
import TensorCore

extension ModelCard {
    /// The key of ONNX `metadata_props` that holds a card's JSON.
    public static let metadataKey = "sardonyx.card"

    /// Reads a card from JSON.
    /// - Throws: `parse` naming the key at fault.
    public init(json: [UInt8], from place: String) throws(SardonyxError) {
        do {
            self = try JSONDecoder().decode(ModelCard.self, from: Data(json))
        } catch let error as SardonyxError {
            throw error.placed(at: place)
        } catch {
            throw SardonyxError(.parse, place, "not a JSON object", hint: "See schemas/model-card.schema.json")
        }
    }

    /// Reads a card file.
    /// - Throws: `parse` when it cannot be read or is no valid card.
    public init(contentsOf path: String) throws(SardonyxError) {
        let bytes = try WholeFile.bytes(of: path, limit: 16 << 20, as: .parse)
        try self.init(json: bytes, from: path)
    }
}

extension Model {
    /// Where the model's card lies or would lie, beside the file; `nil` for a model that no file named .onnx holds.
    public var cardPath: String? {
        guard let path, path.hasSuffix(".onnx") else { return nil }
        return String(path.dropLast(5)) + ".card.json"
    }

    /// The model's card: beside the file (`model.onnx` → `model.card.json`), else from its metadata; `nil` without one.
    /// - Throws: `parse` for a card that is there and wrong.
    public func card() throws(SardonyxError) -> ModelCard? {
        if let cardPath, access(cardPath, F_OK) == 0 { return try ModelCard(contentsOf: cardPath) }
        guard let json = metadata[ModelCard.metadataKey] else { return nil }
        return try ModelCard(json: Array(json.utf8), from: "metadata key \(ModelCard.metadataKey)")
    }
}

extension Model {
    /// Cards that the graph's names, shapes and metadata suggest, the surest first; empty when it looks like none of
    /// the detectors'.
    public func proposedCards() -> [CardProposal] {
        DetectorTable.proposals(
            for: GraphSignature(
                inputs: inputs.map(GraphSignature.Port.init), outputs: outputs.map(GraphSignature.Port.init),
                metadata: metadata))
    }

    /// The model's card, else the surest of `proposedCards`.
    /// - Throws: `parse` for a card that is there and wrong, `input` when there is none.
    func knownCard() throws(SardonyxError) -> ModelCard {
        if let card = try card() { return card }
        guard let proposal = proposedCards().first else {
            throw SardonyxError(
                .input, path ?? "model", "no model card, and the graph's outputs are like none of the known detectors'",
                got: outputs.map(\.description).joined(separator: ", "),
                hint:
                    "Put a card beside the model (model.card.json), into its metadata (\(ModelCard.metadataKey)), or give --card"
            )
        }
        return proposal.card
    }
}

extension GraphSignature.Port {
    init(_ signature: Signature) {
        self.init(
            name: signature.name, dtype: signature.dtype,
            extents: signature.extents?.map { extent in
                if case .fixed(let value) = extent { value } else { nil }
            })
    }
}
