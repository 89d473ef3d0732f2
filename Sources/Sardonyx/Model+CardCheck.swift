import Detection
import TensorCore

extension Model {
    /// What of a card does not fit this model, as far as the graph declares it: the card's detector and its settings,
    /// the input, outputs that are not there. Empty when nothing is wrong.
    public func mismatches(with card: ModelCard) -> [SardonyxError] {
        var found: [SardonyxError] = []
        do { found += missingOutputs(try DetectorTable.detector(for: card)) } catch { found.append(error) }
        do { _ = try pictureInput(card) } catch { found.append(error) }
        return found
    }

    /// Outputs that the detector reads and the graph does not have.
    func missingOutputs(_ detector: any Detector) -> [SardonyxError] {
        let available = outputs.map(\.name)
        return detector.outputNames.filter { !available.contains($0) }.map { missing in
            SardonyxError(
                .shape, "model card 'outputs'", "the graph has no such output", got: "'\(missing)'",
                allowed: available.joined(separator: ", "))
        }
    }

    /// The graph input that takes the picture; its extents must allow `[1, 3, height, width]` or `[3, height, width]`.
    func pictureInput(_ card: ModelCard) throws(SardonyxError) -> Signature {
        let named = card.input.name.map { name in inputs.filter { $0.name == name } } ?? inputs
        guard named.count == 1, let input = named.first else {
            throw SardonyxError(
                .shape, "model card 'input.name'",
                card.input.name == nil ? "the graph has several inputs" : "the graph has no such input",
                got: card.input.name.map { "'\($0)'" }, allowed: inputs.map(\.name).joined(separator: ", "))
        }
        guard let extents = input.extents else { return input }
        let size = card.input.geometry.fixedSize
        let wanted = [1, 3, size?.height, size?.width].suffix(max(extents.count, 3))
        let fits =
            extents.count == wanted.count
            && zip(extents, wanted).allSatisfy { extent, side in
                if case .fixed(let value) = extent, let side { value == side } else { true }
            }
        guard fits else {
            throw SardonyxError(
                .shape, "model card 'input'", "the card does not fit the graph",
                got: "[" + wanted.map { $0.map(String.init) ?? "any" }.joined(separator: ", ") + "]",
                allowed: input.description)
        }
        return input
    }
}
