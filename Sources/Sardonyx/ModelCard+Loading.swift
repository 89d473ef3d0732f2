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
    /// The model's card: beside the file (`model.onnx` → `model.card.json`), else from its metadata; `nil` without one.
    /// - Throws: `parse` for a card that is there and wrong.
    public func card() throws(SardonyxError) -> ModelCard? {
        if let path, path.hasSuffix(".onnx") {
            let beside = String(path.dropLast(5)) + ".card.json"
            if access(beside, F_OK) == 0 { return try ModelCard(contentsOf: beside) }
        }
        guard let json = metadata[ModelCard.metadataKey] else { return nil }
        return try ModelCard(json: Array(json.utf8), from: "metadata key \(ModelCard.metadataKey)")
    }
}
