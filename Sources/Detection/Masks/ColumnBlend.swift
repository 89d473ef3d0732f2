import CKernels

/// Columns of values, resampled bilinearly and thresholded into run lengths one picture column at a time.
struct ColumnBlend {
    /// From the source's columns and rows to the picture's, or to those of the place that the source is put at.
    let columns: ResampleAxis
    let rows: ResampleAxis
    /// A pixel whose value is above belongs to the mask.
    let threshold: Float
    /// Picture column and row of the axes' first output.
    var origin = (column: 0, row: 0)

    /// Adds the pixels of `outputColumns` × `outputRows` (positions of the axes) to `runs`.
    /// - Parameters:
    ///   - firstRow: the source row of the second value that `fill` writes.
    ///   - fill: writes a source column, with one value more at each end; false when all of it is zero.
    func append(
        _ outputColumns: Range<Int>, _ outputRows: Range<Int>, firstRow: Int, scratch: MaskScratch.Worker,
        to runs: inout RunBuilder, fill: (_ column: Int, _ target: UnsafeMutablePointer<Float>) -> Bool
    ) {
        guard !outputColumns.isEmpty, !outputRows.isEmpty else { return }
        var held = (even: -1, odd: -1)
        func stretched(_ column: Int) -> UnsafeMutablePointer<Float> {
            let isEven = column % 2 == 0
            let target = isEven ? scratch.even : scratch.odd
            guard (isEven ? held.even : held.odd) != column else { return target }
            if isEven { held.even = column } else { held.odd = column }
            // Past the last column the source's edge repeats it.
            guard fill(min(column, columns.inputs - 1), scratch.column) else {
                target.update(repeating: 0, count: outputRows.count)
                return target
            }
            sx_detect_stretch(
                scratch.column, Int32(truncatingIfNeeded: firstRow - 1), rows.kernelAxis(from: outputRows.lowerBound),
                Int64(outputRows.count), target)
            return target
        }
        for column in outputColumns {
            let index = columns.index(column)
            sx_detect_blend(
                stretched(index), stretched(index + 1), columns.weight(column), threshold, Int64(outputRows.count),
                scratch.bits)
            runs.append(
                scratch.bits, count: outputRows.count, column: origin.column + column,
                firstRow: origin.row + outputRows.lowerBound)
        }
    }
}
