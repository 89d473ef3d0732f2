import TensorCore

/// The card's `instances` section.
struct InstancesParameters: Sendable, Hashable {
    /// What boxes are measured in.
    enum Coordinates: String, CaseIterable {
        /// Pixels of the network's input.
        case input
        /// Shares of the network's input.
        case relative
        /// Pixels of the picture.
        case picture
    }

    enum Corners: String, CaseIterable {
        case xyxy, cxcywh
    }

    /// What a mask covers.
    enum MaskExtent: String, CaseIterable {
        /// The network's input.
        case input
        /// Its box.
        case box
    }

    var coordinates = Coordinates.input
    var corners = Corners.xyxy
    /// The graph's number of the card's first label; below is background.
    var firstLabel = 0
    var maskExtent = MaskExtent.input
    var maskActivation = MaskActivation.none
    var maskThreshold: Float = 0.5

    /// - Throws: `parse` naming the key that is unknown or out of range.
    init(_ values: [String: CardValue]) throws(SardonyxError) {
        let section = CardSection("instances", values)
        try section.refuseKeys(
            beyond: ["coordinates", "corners", "first_label", "masks", "mask_activation", "mask_threshold"])
        if let value: Coordinates = try section.choice("coordinates") { coordinates = value }
        if let value: Corners = try section.choice("corners") { corners = value }
        if let value = try section.index("first_label") { firstLabel = value }
        if let value: MaskExtent = try section.choice("masks") { maskExtent = value }
        if let value: MaskActivation = try section.choice("mask_activation") { maskActivation = value }
        if let value = try section.fraction("mask_threshold") { maskThreshold = value }
    }
}

/// What masks go through before they are resampled.
enum MaskActivation: String, CaseIterable {
    case none, sigmoid
}
