/// How a picture is brought to the network's input.
public enum ImageGeometry: Sendable, Hashable {
    /// Both sides scaled to the input's; the aspect ratio is not kept.
    case stretch(width: Int, height: Int)
    /// Scaled to fit inside, the rest padded.
    case letterbox(Letterbox)
    /// The shorter side scaled to `shortSide`, less where the longer one would pass `longSide`; padded right and below
    /// to multiples of `stride`.
    case keepRatio(shortSide: Int, longSide: Int, stride: Int)
    /// The shorter side scaled to `shortSide`, then the middle cut out.
    case centerCrop(width: Int, height: Int, shortSide: Int)
    /// The picture as it is; the graph resizes.
    case original

    public struct Letterbox: Sendable, Hashable {
        public enum Alignment: String, Sendable, Hashable, CaseIterable {
            case center
            case topLeft = "top-left"
        }

        /// Of the scaled sides.
        public enum Rounding: String, Sendable, Hashable, CaseIterable {
            case nearest, down
        }

        /// Pixels; with a `stride` the most that the input may have.
        public let width: Int
        public let height: Int
        public let alignment: Alignment
        public let rounding: Rounding
        /// The input only grows to multiples of it; `nil` pads to `width` and `height`.
        public let stride: Int?

        public init(
            width: Int, height: Int, alignment: Alignment = .center, rounding: Rounding = .nearest, stride: Int? = nil
        ) {
            self.width = width
            self.height = height
            self.alignment = alignment
            self.rounding = rounding
            self.stride = stride
        }
    }

    /// The geometry's name in a card.
    public var name: String {
        switch self {
        case .stretch: "stretch"
        case .letterbox: "letterbox"
        case .keepRatio: "keep-ratio"
        case .centerCrop: "center-crop"
        case .original: "original"
        }
    }

    static let names = ["stretch", "letterbox", "keep-ratio", "center-crop", "original"]

    /// Height and width of every input; `nil` where the picture decides.
    public var fixedSize: (width: Int, height: Int)? {
        switch self {
        case .stretch(let width, let height), .centerCrop(let width, let height, _): (width, height)
        case .letterbox(let box): box.stride == nil ? (box.width, box.height) : nil
        case .keepRatio, .original: nil
        }
    }
}
