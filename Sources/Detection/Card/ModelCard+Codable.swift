import TensorCore

extension ModelCard: Codable {
    private static let keys = [
        "name", "decoder", "description", "source", "license", "command", "measured", "input", "outputs", "thresholds",
        "labels", "category_ids",
    ]

    public init(from decoder: any Decoder) throws {
        let object = try CardObject(decoder, at: "")
        let detector = try object.required("decoder", String.self)
        guard !Self.keys.contains(detector) else {
            throw SardonyxError.card("decoder", "not a detector", got: "\"\(detector)\"")
        }
        try object.refuseKeys(beyond: Self.keys + [detector])
        try self.init(
            name: object.required("name"), decoder: detector,
            description: object.optional("description"), source: object.optional("source"),
            license: object.optional("license"), command: object.optional("command"),
            measured: object.optional("measured") ?? [:],
            input: object.required("input"), outputs: object.required("outputs"),
            parameters: object.optional(detector) ?? [:],
            thresholds: object.optional("thresholds") ?? Thresholds(),
            labels: object.required("labels"), categoryIDs: object.optional("category_ids"))
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CardKey.self)
        try object.encode(name, forKey: CardKey("name"))
        try object.encode(decoder, forKey: CardKey("decoder"))
        try object.encodeIfPresent(description, forKey: CardKey("description"))
        try object.encodeIfPresent(source, forKey: CardKey("source"))
        try object.encodeIfPresent(license, forKey: CardKey("license"))
        try object.encodeIfPresent(command, forKey: CardKey("command"))
        if !measured.isEmpty { try object.encode(measured, forKey: CardKey("measured")) }
        try object.encode(input, forKey: CardKey("input"))
        try object.encode(outputs, forKey: CardKey("outputs"))
        if !parameters.isEmpty { try object.encode(parameters, forKey: CardKey(decoder)) }
        try object.encode(thresholds, forKey: CardKey("thresholds"))
        try object.encode(labels, forKey: CardKey("labels"))
        try object.encode(categoryIDs, forKey: CardKey("category_ids"))
    }
}

extension ModelCard.Thresholds: Codable {
    public init(from decoder: any Decoder) throws {
        let object = try CardObject(decoder, at: "thresholds")
        try object.refuseKeys(beyond: ["score", "top_k"])
        try self.init(score: object.optional("score") ?? 0.15, topK: object.optional("top_k") ?? 100)
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CardKey.self)
        try object.encode(score, forKey: CardKey("score"))
        try object.encode(topK, forKey: CardKey("top_k"))
    }
}
