import CKernels
import TensorCore

/// Prototypes with the rows innermost: `[width, count, stride]`.
struct PrototypeColumns {
    /// How the values of a source lie in memory.
    enum Order: Sendable {
        /// `[height, width, count]`.
        case channelsLast
        /// `[count, height, width]`.
        case channelsFirst
    }

    let width: Int
    let height: Int
    let count: Int
    /// `height` and at least 16 more, so that whole vectors may be read from any row on.
    let stride: Int
    private let storage: Buffer

    /// - Throws: `limit` when there is no memory.
    init(
        _ source: UnsafePointer<Float>, height: Int, width: Int, count: Int, order: Order = .channelsLast,
        threads: Int
    ) throws(SardonyxError) {
        guard let stride = CheckedSize.roundUp(height, to: 16).flatMap({ CheckedSize.sum($0, 16) }),
            let bytes = CheckedSize.product(width, count, stride, 4)
        else {
            throw SardonyxError(.limit, "prototypes", "size", got: "[\(height), \(width), \(count)]")
        }
        self.width = width
        self.height = height
        self.count = count
        self.stride = stride
        self.storage = try Buffer(byteCount: bytes)
        let steps =
            order == .channelsLast
            ? (row: width * count, column: count, count: 1) : (row: width, column: 1, count: width * height)
        var prototypes = sx_detect_prototypes(
            values: source, height: Int64(height), width: Int64(width), count: Int64(count),
            row_step: Int64(steps.row), column_step: Int64(steps.column), count_step: Int64(steps.count))
        sx_detect_arrange_prototypes(
            &prototypes, storage.pointer.assumingMemoryBound(to: Float.self), Int64(stride), Int32(clamping: threads))
    }

    /// `[count, stride]`; valid while the prototypes live.
    func column(_ column: Int) -> UnsafePointer<Float> {
        UnsafePointer(storage.pointer.assumingMemoryBound(to: Float.self) + column * count * stride)
    }
}
