/// A card made from what a graph says about itself.
public struct CardProposal: Sendable, Hashable {
    /// How sure it is.
    public enum Confidence: String, Sendable, Hashable, Comparable, CaseIterable {
        /// The outputs' shapes fit; the geometry, the normalisation or the labels are assumed.
        case guess
        /// Names and shapes are those of a known exporter; what the graph does not say follows its defaults.
        case likely
        /// The file says it.
        case certain

        public static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }

        private var rank: Int { Confidence.allCases.firstIndex(of: self) ?? 0 }
    }

    public let card: ModelCard
    public let confidence: Confidence
    /// What was seen in the graph, and what was assumed.
    public let reasons: [String]

    public init(_ card: ModelCard, _ confidence: Confidence, reasons: [String]) {
        self.card = card
        self.confidence = confidence
        self.reasons = reasons
    }
}
