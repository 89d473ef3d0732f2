/// One entry of a COCO results file (`cocoapi`, "Results Format"), encodable as JSON.
public struct COCOResult: Sendable, Hashable, Codable {
    public struct Segmentation: Sendable, Hashable, Codable {
        /// Height, width.
        public var size: [Int]
        /// The compressed run lengths.
        public var counts: String

        public init(_ mask: RLE) {
            size = [mask.height, mask.width]
            counts = mask.compressed
        }
    }

    public var imageID: Int
    public var categoryID: Int
    /// x, y, width, height in pixels.
    public var bbox: [Int]
    public var score: Float
    /// `nil` from a detector that finds boxes only.
    public var segmentation: Segmentation?

    enum CodingKeys: String, CodingKey {
        case imageID = "image_id"
        case categoryID = "category_id"
        case bbox, score, segmentation
    }
}

extension Instances {
    /// The entries of a COCO results file for this picture; instances whose box has no area are left out.
    public func cocoResults(imageID: Int) -> [COCOResult] {
        filter { !$0.box.isEmpty }.map { instance in
            COCOResult(
                imageID: imageID, categoryID: instance.categoryID,
                bbox: [instance.box.x1, instance.box.y1, instance.box.width, instance.box.height],
                score: instance.score,
                segmentation: instance.mask.map(COCOResult.Segmentation.init))
        }
    }
}
