/// What the numbers of a constant look like.
public struct WeightReport: Sendable, Hashable, Encodable {
    /// Elements as grey or coloured dots.
    public struct Picture: Sendable, Hashable, Encodable {
        /// How the dots are to be read.
        public enum Kind: String, Sendable, Hashable, Encodable {
            /// Filters `[count, height, width, 3]`: dots are red, green and blue.
            case colorFilters
            /// Filters `[count, height, width]`, those of the first input channels of the first output channels.
            case filters
            /// One matrix `[height, width]`, thinned out evenly.
            case matrix
        }

        public let kind: Kind
        public let count: Int
        public let height: Int
        public let width: Int
        /// Filters beside each other in a row of the picture.
        public let columns: Int
        /// 128 is zero, 1 and 255 the greatest magnitude of the filter or matrix.
        public let dots: [UInt8]
    }

    /// For example `float32[64, 3, 7, 7]`.
    public let type: String
    public let elementCount: Int
    /// Of the finite elements, as the next ones; `nil` without any, and for elements that are no real numbers.
    public let minimum: Double?
    public let maximum: Double?
    public let mean: Double?
    public let standardDeviation: Double?
    public let zeroCount: Int
    public let nanCount: Int
    public let infinityCount: Int
    /// Elements so small that they have lost precision; kernels take them for zero.
    public let subnormalCount: Int
    /// Slices along the first axis, such as filters, whose elements are all zero.
    public let zeroRowCount: Int
    /// Counts of finite elements in equal parts of the range from `minimum` to `maximum`; empty for up to 16 elements.
    public let histogram: [Int]
    /// All elements, where there are no more than 16.
    public let elements: [String]
    public let picture: Picture?

    /// Bins of a histogram.
    public static var binCount: Int { 32 }
    /// The most elements that are listed.
    public static var mostListedElements: Int { 16 }
}
