import TensorCore

/// Where a picture lies in a network's input, and the way back.
public struct Placement: Sendable, Hashable {
    /// Pixels of the picture, to which results refer.
    public let imageWidth: Int
    public let imageHeight: Int
    /// Pixels of the network's input.
    public let inputWidth: Int
    public let inputHeight: Int
    /// The picture's size in the input.
    let scaledWidth: Int
    let scaledHeight: Int
    /// Its first column and row in the input; below zero when cropped.
    let left: Int
    let top: Int
    /// Input pixels a picture pixel.
    let horizontalScale: Double
    let verticalScale: Double
    private let isCentered: Bool

    /// A picture of `imageWidth` × `imageHeight` in the input that `geometry` makes of it.
    /// - Throws: `image` or `limit` for a picture without pixels or with too many, `limit` for an input too large.
    public init(imageWidth: Int, imageHeight: Int, geometry: ImageGeometry) throws(SardonyxError) {
        _ = try Image.byteCount(width: imageWidth, height: imageHeight)
        let (width, height) = (Double(imageWidth), Double(imageHeight))
        var scaled = (width: imageWidth, height: imageHeight)
        var input: (width: Int, height: Int)
        var offset = (left: 0, top: 0)
        var gain: Double?
        var isCentered = false
        switch geometry {
        case .stretch(let inputWidth, let inputHeight):
            (scaled, input) = ((inputWidth, inputHeight), (inputWidth, inputHeight))
        case .letterbox(let box):
            let ratio = min(Double(box.width) / width, Double(box.height) / height)
            let rule: FloatingPointRoundingRule = box.rounding == .nearest ? .toNearestOrEven : .down
            scaled = (Placement.side(width * ratio, rule), Placement.side(height * ratio, rule))
            input = (box.width, box.height)
            if let stride = box.stride {
                input = (
                    min(Placement.raised(scaled.width, to: stride), box.width),
                    min(Placement.raised(scaled.height, to: stride), box.height)
                )
            }
            isCentered = box.alignment == .center
            if isCentered {
                // Of an odd rest the smaller half comes first.
                offset = ((input.width - scaled.width) / 2, (input.height - scaled.height) / 2)
            }
            gain = ratio
        case .keepRatio(let shortSide, let longSide, let stride):
            let ratio = min(Double(shortSide) / min(width, height), Double(longSide) / max(width, height))
            scaled = (Placement.side(width * ratio, .down), Placement.side(height * ratio, .down))
            input = (Placement.raised(scaled.width, to: stride), Placement.raised(scaled.height, to: stride))
        case .centerCrop(let inputWidth, let inputHeight, let shortSide):
            let ratio = Double(shortSide) / min(width, height)
            scaled =
                imageWidth <= imageHeight
                ? (shortSide, Placement.side(height * ratio, .down))
                : (Placement.side(width * ratio, .down), shortSide)
            input = (inputWidth, inputHeight)
            offset = (
                Placement.half(inputWidth - scaled.width), Placement.half(inputHeight - scaled.height)
            )
        case .original:
            input = scaled
        }
        _ = try Image.byteCount(width: scaled.width, height: scaled.height)
        _ = try Image.byteCount(width: input.width, height: input.height)
        (self.imageWidth, self.imageHeight) = (imageWidth, imageHeight)
        (inputWidth, inputHeight) = input
        (scaledWidth, scaledHeight) = scaled
        (left, top) = offset
        horizontalScale = gain ?? Double(scaled.width) / width
        verticalScale = gain ?? Double(scaled.height) / height
        self.isCentered = isCentered
    }

    /// The picture fills the input.
    public var isWhole: Bool {
        left == 0 && top == 0 && scaledWidth == inputWidth && scaledHeight == inputHeight
    }

    /// A box in input pixels as one in picture pixels, corners in order and held inside.
    func box(fromInput box: Box<Float>) -> Box<Float> {
        let (sideways, upright) = (Float(horizontalScale), Float(verticalScale))
        return Box(
            x1: (box.x1 - Float(left)) / sideways, y1: (box.y1 - Float(top)) / upright,
            x2: (box.x2 - Float(left)) / sideways, y2: (box.y2 - Float(top)) / upright
        ).held(width: imageWidth, height: imageHeight)
    }

    /// A box relative to the input as one relative to the picture.
    func box(fromRelative box: Box<Float>) -> Box<Float> {
        guard !isWhole else { return box }
        let (width, height) = (Float(inputWidth), Float(inputHeight))
        let (scaledWidth, scaledHeight) = (
            Float(horizontalScale * Double(imageWidth)), Float(verticalScale * Double(imageHeight))
        )
        return Box(
            x1: (box.x1 * width - Float(left)) / scaledWidth, y1: (box.y1 * height - Float(top)) / scaledHeight,
            x2: (box.x2 * width - Float(left)) / scaledWidth, y2: (box.y2 * height - Float(top)) / scaledHeight)
    }

    /// The cells of a grid over the input that the picture covers, at least one a side.
    func covered(columns: Int, rows: Int) -> (columns: Range<Int>, rows: Range<Int>) {
        guard !isWhole else { return (0..<columns, 0..<rows) }
        return (
            Placement.covered(
                columns, of: inputWidth, length: Double(imageWidth) * horizontalScale, isCentered: isCentered),
            Placement.covered(
                rows, of: inputHeight, length: Double(imageHeight) * verticalScale, isCentered: isCentered)
        )
    }

    private static func covered(_ cells: Int, of input: Int, length: Double, isCentered: Bool) -> Range<Int> {
        let rest = Double(cells) - length * Double(cells) / Double(input)
        let before = isCentered ? rest / 2 : 0
        // Halves go to the picture on the left and to the padding on the right, as in the padding itself.
        let start = (before - 0.1).rounded(.toNearestOrEven)
        let end = Double(cells) - (rest - before + 0.1).rounded(.toNearestOrEven)
        let first = max(0, min(Int(exactly: start) ?? 0, cells - 1))
        return first..<max(first + 1, min(Int(exactly: end) ?? cells, cells))
    }

    private static func side(_ length: Double, _ rule: FloatingPointRoundingRule) -> Int {
        max(1, Int(exactly: length.rounded(rule)) ?? 1)
    }

    private static func raised(_ side: Int, to stride: Int) -> Int { CheckedSize.roundUp(side, to: stride) ?? side }

    private static func half(_ rest: Int) -> Int {
        -(Int(exactly: (Double(-rest) / 2).rounded(.toNearestOrEven)) ?? 0)
    }
}
