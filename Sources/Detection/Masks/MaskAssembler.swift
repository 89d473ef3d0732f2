import CKernels
import TensorCore

/// Combines prototypes into instance masks at the picture's size (YOLACT, arXiv 1904.02689, section 3.3).
///
/// A mask is prototypes · coefficients or their sigmoid, resampled bilinearly and thresholded, cut to the box before or
/// after. Only the picture's columns and rows that the cut piece reaches are computed, one column at a time, and a
/// column turns into run lengths at once: no instance ever has a bitmap.
struct MaskAssembler {
    /// Where masks end.
    enum Crop: Sendable {
        /// With the picture.
        case none
        /// One prototype pixel outside the box, cut at the prototypes' resolution (YOLACT).
        case prototypes
        /// At the box, cut at the picture's resolution: pixel x stays if x1 ≤ x < x2.
        case picture
    }

    /// Prototype pixels that `Crop.prototypes` keeps around a box.
    static let padding: Float = 1

    private let prototypes: PrototypeColumns
    private let columns: ResampleAxis
    private let rows: ResampleAxis
    private let crop: Crop
    private let sigmoid: Bool
    private let threshold: Float
    private let threads: Int

    /// - Parameters:
    ///   - prototypes: over the whole network input.
    ///   - sigmoid: whether the sums go through one before they are resampled.
    ///   - threshold: a pixel whose value is above belongs to the mask.
    /// - Throws: `limit` when there is no memory.
    init(
        prototypes: PrototypeColumns, placement: Placement, crop: Crop, sigmoid: Bool, threshold: Float, threads: Int
    ) throws(SardonyxError) {
        self.prototypes = prototypes
        (columns, rows) = try placement.axes(columns: prototypes.width, rows: prototypes.height)
        self.crop = crop
        self.sigmoid = sigmoid
        self.threshold = threshold
        self.threads = max(threads, 1)
    }

    /// One mask a detection.
    /// - Parameters:
    ///   - boxes: relative to the network's input for `Crop.prototypes`, in the picture's pixels for `Crop.picture`.
    ///   - coefficients: for each box the address of its `prototypes.count` coefficients.
    /// - Throws: `limit` when there is no memory.
    func masks(boxes: [Box<Float>], coefficients: [UnsafePointer<Float>]) throws(SardonyxError) -> [RLE] {
        let workers = min(threads, max(boxes.count, 1))
        let scratch = try MaskScratch(workers: workers, rows: rows.outputs, prototypeRows: prototypes.height)
        let empty = RLE(toggles: [], width: columns.outputs, height: rows.outputs)
        var masks = [RLE](repeating: empty, count: boxes.count)
        masks.withUnsafeMutableBufferPointer { slots in
            // Every index writes its own slot.
            nonisolated(unsafe) let slots = slots
            nonisolated(unsafe) let coefficients = coefficients
            parallelFor(threads: workers, count: boxes.count) { index, worker in
                slots[index] = mask(
                    piece(of: boxes[index]), coefficients: coefficients[index], scratch: scratch.of(worker))
            }
        }
        return masks
    }

    /// The part of the prototypes that a mask keeps, and the part of the picture that this reaches.
    private struct Piece {
        var columns, rows: Range<Int>
        var imageColumns, imageRows: Range<Int>
        var isEmpty: Bool { imageColumns.isEmpty || imageRows.isEmpty }
    }

    private func piece(of box: Box<Float>) -> Piece {
        switch crop {
        case .none:
            return Piece(
                columns: 0..<prototypes.width, rows: 0..<prototypes.height, imageColumns: 0..<columns.outputs,
                imageRows: 0..<rows.outputs)
        case .prototypes:
            let kept = (
                columns: MaskAssembler.kept(box.x1, box.x2, size: prototypes.width),
                rows: MaskAssembler.kept(box.y1, box.y2, size: prototypes.height)
            )
            return Piece(
                columns: kept.columns, rows: kept.rows,
                imageColumns: kept.columns.isEmpty ? 0..<0 : columns.reaching(kept.columns),
                imageRows: kept.rows.isEmpty ? 0..<0 : rows.reaching(kept.rows))
        case .picture:
            let across = MaskAssembler.whole(box.x1, box.x2, size: columns.outputs)
            let down = MaskAssembler.whole(box.y1, box.y2, size: rows.outputs)
            return Piece(
                columns: columns.read(by: across), rows: rows.read(by: down), imageColumns: across, imageRows: down)
        }
    }

    /// Whole positions p with low ≤ p < high of the padded interval.
    private static func kept(_ a: Float, _ b: Float, size: Int) -> Range<Int> {
        let (low, high) = Box.interval(a, b, size: Float(size), padding: padding)
        return whole(low, high, size: size)
    }

    /// Whole positions p with low ≤ p < high, 0 to `size`.
    private static func whole(_ low: Float, _ high: Float, size: Int) -> Range<Int> {
        let start = min(max(CheckedSize.integer(low.rounded(.up)) ?? 0, 0), size)
        let end = CheckedSize.integer(high.rounded(.up)) ?? 0
        return start..<max(start, min(end, size))
    }

    private func mask(
        _ piece: Piece, coefficients: UnsafePointer<Float>, scratch: MaskScratch.Worker
    ) -> RLE {
        var runs = RunBuilder(height: rows.outputs)
        guard !piece.isEmpty else { return RLE(toggles: [], width: columns.outputs, height: rows.outputs) }
        ColumnBlend(columns: columns, rows: rows, threshold: threshold).append(
            piece.imageColumns, piece.imageRows, firstRow: piece.rows.lowerBound, scratch: scratch, to: &runs
        ) { column, target in
            guard piece.columns.contains(column) else { return false }
            fill(target, column: column, rows: piece.rows, coefficients: coefficients)
            return true
        }
        return runs.finish(width: columns.outputs)
    }

    /// One column of the mask at the prototypes' resolution, with one value more at each end: zero where the piece was
    /// cut, a repetition at the last row of all.
    private func fill(
        _ target: UnsafeMutablePointer<Float>, column: Int, rows: Range<Int>, coefficients: UnsafePointer<Float>
    ) {
        sx_detect_combine(
            prototypes.column(column) + rows.lowerBound, Int64(prototypes.stride), coefficients,
            Int64(prototypes.count), Int64(rows.count), sigmoid, target + 1)
        target[0] = 0
        target[rows.count + 1] = rows.upperBound == prototypes.height ? target[rows.count] : 0
    }
}

extension ResampleAxis {
    /// The outputs that read any of `inputs` (not empty).
    func reaching(_ inputs: Range<Int>) -> Range<Int> {
        // Outputs between the first position − 1 and the last.
        firstOutput(from: inputs.lowerBound - 1)..<firstOutput(from: inputs.upperBound)
    }

    /// The inputs that `outputs` read.
    func read(by outputs: Range<Int>) -> Range<Int> {
        guard let last = outputs.last else { return 0..<0 }
        let first = index(outputs.lowerBound)
        return first..<min(index(last) + 2, inputs)
    }
}
