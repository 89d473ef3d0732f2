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

    /// A picture of `imageWidth` × `imageHeight` in the input that `geometry` makes of it.
    /// - Throws: `image` or `limit` for a picture without pixels or with too many, `limit` for an input too large.
    public init(imageWidth: Int, imageHeight: Int, geometry: ImageGeometry) throws(SardonyxError) {
        _ = try Image.byteCount(width: imageWidth, height: imageHeight)
        let (width, height) = (Double(imageWidth), Double(imageHeight))
        var scaled = (width: imageWidth, height: imageHeight)
        var input: (width: Int, height: Int)
        var offset = (left: 0, top: 0)
        var gain: Double?
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
            if box.alignment == .center {
                // Of an odd rest the smaller half comes first.
                offset = ((input.width - scaled.width) / 2, (input.height - scaled.height) / 2)
            }
            // Where sides are cut rather than rounded, the reference (YOLOX) returns by the ratio itself.
            if box.rounding == .down { gain = ratio }
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

    /// Where the picture's columns and rows lie on a grid of cells over the input.
    /// - Throws: `limit` when there is no memory.
    func axes(columns: Int, rows: Int) throws(SardonyxError) -> (columns: ResampleAxis, rows: ResampleAxis) {
        let (across, down) = (Double(columns) / Double(inputWidth), Double(rows) / Double(inputHeight))
        return (
            try ResampleAxis(
                inputs: columns, outputs: imageWidth, start: Double(left) * across,
                length: Double(scaledWidth) * across),
            try ResampleAxis(
                inputs: rows, outputs: imageHeight, start: Double(top) * down, length: Double(scaledHeight) * down)
        )
    }

    private static func side(_ length: Double, _ rule: FloatingPointRoundingRule) -> Int {
        max(1, Int(exactly: length.rounded(rule)) ?? 1)
    }

    private static func raised(_ side: Int, to stride: Int) -> Int { CheckedSize.roundUp(side, to: stride) ?? side }

    private static func half(_ rest: Int) -> Int {
        -(Int(exactly: (Double(-rest) / 2).rounded(.toNearestOrEven)) ?? 0)
    }
}
