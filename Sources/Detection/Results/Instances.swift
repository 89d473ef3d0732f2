import TensorCore

/// One object found in a picture.
public struct Instance: Sendable, Hashable {
    /// Index into the card's labels; 0 is the first foreground class.
    public let classIndex: Int
    public let label: String
    /// The class's identifier in its data set, for COCO results.
    public let categoryID: Int
    /// In [0, 1].
    public let score: Float
    /// Whole pixels, truncated as the reference does, inside the picture.
    public let box: Box<Int>
    /// The same box before truncation, in pixels.
    public let exactBox: Box<Float>
    /// `nil` from a detector that finds boxes only.
    public let mask: RLE?

    public init(
        classIndex: Int, label: String, categoryID: Int, score: Float, box: Box<Int>, exactBox: Box<Float>, mask: RLE?
    ) {
        self.classIndex = classIndex
        self.label = label
        self.categoryID = categoryID
        self.score = score
        self.box = box
        self.exactBox = exactBox
        self.mask = mask
    }

    /// An instance of a card's class.
    /// - Parameters:
    ///   - classIndex: below the count of the card's labels.
    ///   - exactBox: in the picture's pixels, inside it.
    init(_ card: ModelCard, classIndex: Int, score: Float, exactBox: Box<Float>, mask: RLE?) {
        self.init(
            classIndex: classIndex, label: card.labels[classIndex], categoryID: card.categoryIDs[classIndex],
            score: score,
            box: Box(
                x1: CheckedSize.integer(exactBox.x1) ?? 0, y1: CheckedSize.integer(exactBox.y1) ?? 0,
                x2: CheckedSize.integer(exactBox.x2) ?? 0, y2: CheckedSize.integer(exactBox.y2) ?? 0),
            exactBox: exactBox, mask: mask)
    }

    /// The mask as one byte a pixel of the picture; `nil` without a mask.
    public func bitmap() -> Bitmap? { mask?.bitmap() }

    /// The outlines of the mask, with holes; none without a mask.
    public func polygons() -> [Polygon] { mask?.polygons() ?? [] }
}

/// The objects found in one picture, best score first.
public struct Instances: Sendable, Hashable, RandomAccessCollection {
    /// Size of the picture in pixels, to which boxes and masks refer.
    public let imageWidth: Int
    public let imageHeight: Int
    private let elements: [Instance]

    public init(_ elements: [Instance], imageWidth: Int, imageHeight: Int) {
        self.elements = elements
        self.imageWidth = imageWidth
        self.imageHeight = imageHeight
    }

    init(_ elements: [Instance], _ placement: Placement) {
        self.init(elements, imageWidth: placement.imageWidth, imageHeight: placement.imageHeight)
    }

    public var startIndex: Int { elements.startIndex }
    public var endIndex: Int { elements.endIndex }
    public subscript(index: Int) -> Instance { elements[index] }
}
