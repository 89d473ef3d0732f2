import TensorCore

extension ModelCard.Input: Codable {
    private static let sizeKeys = ["width", "height", "align", "rounding", "stride", "short_side", "long_side"]

    public init(from decoder: any Decoder) throws {
        let object = try CardObject(decoder, at: "input")
        try object.refuseKeys(beyond: ["name", "geometry", "padding", "channels", "mean", "std"] + Self.sizeKeys)
        try self.init(
            name: object.optional("name"), geometry: Self.geometry(object), padding: object.optional("padding"),
            channels: object.choice("channels") ?? .rgb, mean: object.required("mean"), std: object.required("std"))
    }

    private static func geometry(_ object: CardObject) throws(SardonyxError) -> ImageGeometry {
        let name: String = try object.optional("geometry") ?? "stretch"
        func side(_ key: String) throws(SardonyxError) -> Int { try object.required(key) }
        let keys: [String]
        let geometry: ImageGeometry
        switch name {
        case "stretch":
            keys = ["width", "height"]
            geometry = .stretch(width: try side("width"), height: try side("height"))
        case "letterbox":
            keys = ["width", "height", "align", "rounding", "stride"]
            geometry = .letterbox(
                ImageGeometry.Letterbox(
                    width: try side("width"), height: try side("height"),
                    alignment: try object.choice("align") ?? .center,
                    rounding: try object.choice("rounding") ?? .nearest, stride: try object.optional("stride")))
        case "keep-ratio":
            keys = ["short_side", "long_side", "stride"]
            geometry = .keepRatio(
                shortSide: try side("short_side"), longSide: try side("long_side"),
                stride: try object.optional("stride") ?? 1)
        case "center-crop":
            keys = ["width", "height", "short_side"]
            geometry = .centerCrop(
                width: try side("width"), height: try side("height"), shortSide: try side("short_side"))
        case "original":
            keys = []
            geometry = .original
        default:
            throw .card(
                "input.geometry", "unknown value", got: "\"\(name)\"",
                allowed: ImageGeometry.names.joined(separator: ", "))
        }
        for key in sizeKeys where !keys.contains(key) && object.has(key) {
            throw .card(
                "input.\(key)", "does not belong to the geometry \"\(name)\"",
                allowed: keys.isEmpty ? "no size" : keys.joined(separator: ", "))
        }
        return geometry
    }

    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CardKey.self)
        try object.encodeIfPresent(name, forKey: CardKey("name"))
        try object.encode(geometry.name, forKey: CardKey("geometry"))
        func encode(_ sides: [(String, Int?)]) throws {
            for (key, side) in sides { try object.encodeIfPresent(side, forKey: CardKey(key)) }
        }
        switch geometry {
        case .stretch(let width, let height):
            try encode([("width", width), ("height", height)])
        case .letterbox(let box):
            try encode([("width", box.width), ("height", box.height), ("stride", box.stride)])
            try object.encode(box.alignment.rawValue, forKey: CardKey("align"))
            try object.encode(box.rounding.rawValue, forKey: CardKey("rounding"))
        case .keepRatio(let shortSide, let longSide, let stride):
            try encode([("short_side", shortSide), ("long_side", longSide), ("stride", stride)])
        case .centerCrop(let width, let height, let shortSide):
            try encode([("width", width), ("height", height), ("short_side", shortSide)])
        case .original:
            break
        }
        try object.encodeIfPresent(padding, forKey: CardKey("padding"))
        try object.encode(channels.rawValue, forKey: CardKey("channels"))
        try object.encode(mean, forKey: CardKey("mean"))
        try object.encode(std, forKey: CardKey("std"))
    }
}
