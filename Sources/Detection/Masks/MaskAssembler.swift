import CKernels
import TensorCore

/// Combines prototypes into instance masks at the picture's size (YOLACT, arXiv 1904.02689, section 3.3).
///
/// A mask is sigmoid(prototypes · coefficients), cut to the padded box at the prototypes' resolution, resampled
/// bilinearly and thresholded. Only the picture's columns and rows that the cut piece reaches are computed, one
/// column at a time, and a column turns into run lengths at once: no instance ever has a bitmap.
struct MaskAssembler {
    /// Prototype pixels kept around a box.
    static let padding: Float = 1

    private let prototypes: PrototypeColumns
    private let columns: ResampleAxis
    private let rows: ResampleAxis
    private let crops: Bool
    private let threshold: Float
    private let threads: Int

    /// - Throws: `limit` when there is no memory.
    init(
        prototypes: PrototypeColumns, imageWidth: Int, imageHeight: Int, crops: Bool, threshold: Float, threads: Int
    ) throws(SardonyxError) {
        self.prototypes = prototypes
        self.columns = try ResampleAxis(inputs: prototypes.width, outputs: imageWidth)
        self.rows = try ResampleAxis(inputs: prototypes.height, outputs: imageHeight)
        self.crops = crops
        self.threshold = threshold
        self.threads = max(threads, 1)
    }

    /// One mask a detection.
    /// - Parameters:
    ///   - boxes: relative to the picture.
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

    /// The prototype columns and rows that a mask keeps.
    private func piece(of box: Box<Float>) -> (columns: Range<Int>, rows: Range<Int>) {
        guard crops else { return (0..<prototypes.width, 0..<prototypes.height) }
        return (
            MaskAssembler.kept(box.x1, box.x2, size: prototypes.width),
            MaskAssembler.kept(box.y1, box.y2, size: prototypes.height)
        )
    }

    /// Whole positions p with low ≤ p < high of the padded interval.
    private static func kept(_ a: Float, _ b: Float, size: Int) -> Range<Int> {
        let (low, high) = Box.interval(a, b, size: Float(size), padding: padding)
        let start = CheckedSize.integer(low.rounded(.up)) ?? 0
        let end = CheckedSize.integer(high.rounded(.up)) ?? 0
        return start..<max(start, min(end, size))
    }

    private func mask(
        _ piece: (columns: Range<Int>, rows: Range<Int>), coefficients: UnsafePointer<Float>,
        scratch: MaskScratch.Worker
    ) -> RLE {
        var runs = RunBuilder(height: rows.outputs)
        guard !piece.columns.isEmpty, !piece.rows.isEmpty else {
            return RLE(toggles: [], width: columns.outputs, height: rows.outputs)
        }
        // Outputs between the piece's first position − 1 and its last reach it.
        let imageColumns = columns.reaching(piece.columns)
        let imageRows = rows.reaching(piece.rows)
        var held = (even: -1, odd: -1)
        func stretched(_ column: Int) -> UnsafeMutablePointer<Float> {
            let isEven = column % 2 == 0
            let target = isEven ? scratch.even : scratch.odd
            guard (isEven ? held.even : held.odd) != column else { return target }
            if isEven { held.even = column } else { held.odd = column }
            // Past the last prototype the picture's edge repeats it.
            let source = min(column, prototypes.width - 1)
            guard piece.columns.contains(source) else {
                target.update(repeating: 0, count: imageRows.count)
                return target
            }
            fill(scratch.column, column: source, rows: piece.rows, coefficients: coefficients)
            sx_detect_stretch(
                scratch.column, Int32(piece.rows.lowerBound - 1), rows.kernelAxis(from: imageRows.lowerBound),
                Int64(imageRows.count), target)
            return target
        }
        for column in imageColumns {
            let index = columns.index(column)
            sx_detect_blend(
                stretched(index), stretched(index + 1), columns.weight(column), threshold, Int64(imageRows.count),
                scratch.bits)
            runs.append(scratch.bits, count: imageRows.count, column: column, firstRow: imageRows.lowerBound)
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
            Int64(prototypes.count), Int64(rows.count), target + 1)
        target[0] = 0
        target[rows.count + 1] = rows.upperBound == prototypes.height ? target[rows.count] : 0
    }
}

/// Prototypes with the rows innermost: `[width, count, stride]`.
struct PrototypeColumns {
    let width: Int
    let height: Int
    let count: Int
    /// `height` and at least 16 more, so that whole vectors may be read from any row on.
    let stride: Int
    private let storage: Buffer

    /// - Parameter source: `[height, width, count]`.
    /// - Throws: `limit` when there is no memory.
    init(
        _ source: UnsafePointer<Float>, height: Int, width: Int, count: Int, threads: Int
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
        sx_detect_arrange_prototypes(
            source, Int64(height), Int64(width), Int64(count), storage.pointer.assumingMemoryBound(to: Float.self),
            Int64(stride), Int32(clamping: threads))
    }

    /// `[count, stride]`; valid while the prototypes live.
    func column(_ column: Int) -> UnsafePointer<Float> {
        UnsafePointer(storage.pointer.assumingMemoryBound(to: Float.self) + column * count * stride)
    }
}

extension ResampleAxis {
    /// The outputs that read any of `inputs` (not empty).
    func reaching(_ inputs: Range<Int>) -> Range<Int> {
        firstOutput(from: inputs.lowerBound - 1)..<firstOutput(from: inputs.upperBound)
    }
}
