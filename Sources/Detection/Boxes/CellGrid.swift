import TensorCore

/// The cells of strided levels over a network's input, level by level and row by row: how dense heads list anchors.
struct CellGrid: Sendable {
    struct Level: Sendable {
        /// Input pixels a cell.
        let stride: Int
        let columns: Int
        let rows: Int
        /// The level's first cell among all.
        let first: Int
        let count: Int
        /// Whole input pixels from a cell to the next where the cells share the input: less than the stride where the
        /// input is no multiple of it.
        let across: Int
        let down: Int

        /// The cell's place in input pixels.
        /// - Parameters:
        ///   - cell: of this level, from 0.
        ///   - offset: of a cell's side.
        func point(_ cell: Int, offset: Float) -> (x: Float, y: Float) {
            let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
            return ((Float(column) + offset) * Float(stride), (Float(row) + offset) * Float(stride))
        }

        /// The cell's first corner in input pixels as torchvision steps from cell to cell.
        func corner(_ cell: Int) -> (x: Float, y: Float) {
            let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
            return (Float(column * across), Float(row * down))
        }
    }

    let levels: [Level]
    let count: Int
    private let size: String

    /// As many cells as it takes to cover the input.
    /// - Parameter strides: each 1 or more, in the order of the levels.
    /// - Throws: `limit` when there are too many cells.
    init(strides: [Int], _ placement: Placement) throws(SardonyxError) {
        var levels: [Level] = []
        var first = 0
        for stride in strides {
            let columns = (placement.inputWidth - 1) / stride + 1
            let rows = (placement.inputHeight - 1) / stride + 1
            guard let count = CheckedSize.product(columns, rows), let end = CheckedSize.sum(first, count),
                end <= CheckedSize.maximumElements
            else { throw SardonyxError(.limit, "anchors", "cells", got: "\(columns) × \(rows)") }
            levels.append(
                Level(
                    stride: stride, columns: columns, rows: rows, first: first, count: count,
                    across: placement.inputWidth / columns, down: placement.inputHeight / rows))
            first = end
        }
        self.levels = levels
        count = first
        size = "\(placement.inputWidth) × \(placement.inputHeight)"
    }

    /// The level of a cell below `count`.
    func level(of cell: Int) -> Level { levels.last { $0.first <= cell } ?? levels[0] }

    /// - Parameters:
    ///   - anchors: that an output lists.
    ///   - perCell: anchors a cell.
    /// - Throws: `input` when the levels make another number.
    func expect(_ anchors: Int, perCell: Int = 1, in output: HeadTensor) throws(SardonyxError) {
        guard CheckedSize.product(count, perCell) == anchors else {
            throw SardonyxError(
                .input, "output '\(output.name)'", "anchors", got: "\(anchors)",
                allowed: "\(count) × \(perCell): strides \(levels.map(\.stride)) over \(size)")
        }
    }
}
