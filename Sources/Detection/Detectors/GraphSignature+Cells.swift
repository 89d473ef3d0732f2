import TensorCore

extension GraphSignature {
    /// Strides of the levels that dense heads usually have.
    static let usualStrides = [[8, 16, 32], [8, 16, 32, 64], [8, 16, 32, 64, 128]]

    /// Cells of levels with these strides over the picture input; `nil` where the graph leaves its size open.
    func cells(_ strides: [Int]) -> Int? {
        guard let (width, height) = pictureSize, width >= 1, height >= 1 else { return nil }
        var total: Int? = 0
        for stride in strides {
            let cells = CheckedSize.product((width - 1) / stride + 1, (height - 1) / stride + 1)
            total = total.flatMap { total in cells.flatMap { CheckedSize.sum(total, $0) } }
        }
        return total
    }

    /// The one float output of that rank; `nil` when there are more.
    func onlyOutput(rank: Int) -> Port? {
        let found = outputs.filter { $0.rank == rank && $0.dtype == .float32 }
        return found.count == 1 ? found.first : nil
    }
}
