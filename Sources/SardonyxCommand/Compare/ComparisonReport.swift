import Sardonyx

/// What `sardonyx compare` found, as it is printed.
struct ComparisonReport: Encodable {
    /// The objects found in one picture.
    struct Picture: Encodable {
        let image: String
        let matching: InstanceMatching
    }

    let model: String
    let reference: String
    let comparison: Comparison
    let pictures: [Picture]
    var isOptimized = true
    /// The same without fused kernels, when the differences begin in one.
    var nodeByNode: Comparison?

    var isWithin: Bool { comparison.isWithin && pictures.allSatisfy(\.matching.isWithin) }

    enum CodingKeys: String, CodingKey {
        case model, reference
        case isWithin = "within"
        case comparison, pictures
        case isOptimized = "optimized"
        case nodeByNode = "node_by_node"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(reference, forKey: .reference)
        try container.encode(isWithin, forKey: .isWithin)
        try container.encode(isOptimized, forKey: .isOptimized)
        try container.encode(comparison, forKey: .comparison)
        try container.encode(pictures, forKey: .pictures)
        try container.encodeIfPresent(nodeByNode, forKey: .nodeByNode)
    }
}
