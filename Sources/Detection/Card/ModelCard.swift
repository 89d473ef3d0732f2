import TensorCore

/// Everything about a model that its graph does not say: how a picture becomes its input and what its outputs mean.
///
/// A card is JSON (`schemas/model-card.schema.json`). Decoding checks it whole and throws `SardonyxError` (class
/// `parse`) naming the key at fault; a card that exists is valid.
public struct ModelCard: Sendable, Hashable {
    public let name: String
    /// The detector's name in `DetectorTable`.
    public let decoder: String
    public let description: String?
    public let source: String?
    public let license: String?
    /// The command that made the model.
    public let command: String?
    /// Figures by name, for example `mask_map`.
    public let measured: [String: Double]
    public let input: Input
    /// Graph output name by role.
    public let outputs: [String: String]
    /// The detector's own settings by key; the detector checks them.
    public let parameters: [String: CardValue]
    public let thresholds: Thresholds
    /// Names of the foreground classes.
    public let labels: [String]
    /// One data set identifier a label.
    public let categoryIDs: [Int]

    /// How a picture becomes the network's input.
    public struct Input: Sendable, Hashable {
        /// The graph input; `nil` means the only one.
        public let name: String?
        public let geometry: ImageGeometry
        /// What surrounds the picture, in 0…255 units; `nil` means the network's own zero.
        public let padding: Float?
        public let channels: ChannelOrder
        /// Per channel in the network's order, in 0…255 units: value = (pixel − mean) / std.
        public let mean: [Float]
        public let std: [Float]

        /// - Throws: `parse` naming the key that is out of range.
        public init(
            name: String? = nil, geometry: ImageGeometry, padding: Float? = nil, channels: ChannelOrder = .rgb,
            mean: [Float] = [0, 0, 0], std: [Float] = [1, 1, 1]
        ) throws(SardonyxError) {
            self.name = name
            self.geometry = geometry
            self.padding = padding
            self.channels = channels
            self.mean = mean
            self.std = std
            try validate()
        }
    }

    /// Defaults for pictures.
    public struct Thresholds: Sendable, Hashable {
        /// Instances at or below this score are left out.
        public let score: Float
        /// At most this many instances, best first.
        public let topK: Int

        /// - Throws: `parse` naming the key that is out of range.
        public init(score: Float = 0.15, topK: Int = 100) throws(SardonyxError) {
            self.score = score
            self.topK = topK
            try validate()
        }
    }

    /// - Parameter categoryIDs: `nil` means 1, 2, … in the order of the labels.
    /// - Throws: `parse` naming the key that is out of range.
    public init(
        name: String, decoder: String, description: String? = nil, source: String? = nil, license: String? = nil,
        command: String? = nil, measured: [String: Double] = [:], input: Input, outputs: [String: String],
        parameters: [String: CardValue] = [:], thresholds: Thresholds, labels: [String], categoryIDs: [Int]? = nil
    ) throws(SardonyxError) {
        self.name = name
        self.decoder = decoder
        self.description = description
        self.source = source
        self.license = license
        self.command = command
        self.measured = measured
        self.input = input
        self.outputs = outputs
        self.parameters = parameters
        self.thresholds = thresholds
        self.labels = labels
        self.categoryIDs = categoryIDs ?? labels.indices.map { $0 + 1 }
        try validate()
    }
}

extension ModelCard {
    /// The same card under another name.
    /// - Throws: `parse` for an empty one.
    public func named(_ name: String) throws(SardonyxError) -> ModelCard {
        try ModelCard(
            name: name, decoder: decoder, description: description, source: source, license: license, command: command,
            measured: measured, input: input, outputs: outputs, parameters: parameters, thresholds: thresholds,
            labels: labels, categoryIDs: categoryIDs)
    }
}

/// The order of the colour planes that the network expects.
public enum ChannelOrder: String, Sendable, Hashable, CaseIterable {
    case rgb
    case bgr
}
