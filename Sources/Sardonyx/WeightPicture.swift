/// Draws weights as dots: filters of a convolution side by side, or a matrix thinned out.
struct WeightPicture {
    private let dims: [Int]
    private let reader: ElementReader

    /// Filters are at most this high and wide.
    private static let largestKernel = 15
    private static let mostColorFilters = 64
    /// Of output and of input channels.
    private static let mostChannels = 16
    private static let largestMatrix = 48

    init(_ dims: [Int], _ reader: ElementReader) {
        self.dims = dims
        self.reader = reader
    }

    /// `nil` for shapes that no picture makes clearer.
    func render() -> WeightReport.Picture? {
        guard dims.allSatisfy({ $0 > 0 }) else { return nil }
        if dims.count == 4, dims[2] * dims[3] > 1 {
            guard dims[2] <= Self.largestKernel, dims[3] <= Self.largestKernel else { return nil }
            return dims[1] == 3 ? colorFilters() : filters()
        }
        if dims.count == 4 || dims.count == 2, dims[0] >= 4, dims[1] >= 4 { return matrix() }
        return nil
    }

    private func colorFilters() -> WeightReport.Picture {
        let (count, area) = (min(dims[0], Self.mostColorFilters), dims[2] * dims[3])
        var dots: [UInt8] = []
        for filter in 0..<count {
            // From [3, area] to [area, 3].
            let indices = (0..<area * 3).map { (filter * 3 + $0 % 3) * area + $0 / 3 }
            dots += scaled(indices)
        }
        return WeightReport.Picture(
            kind: .colorFilters, count: count, height: dims[2], width: dims[3], columns: min(16, count), dots: dots)
    }

    private func filters() -> WeightReport.Picture {
        // A depthwise convolution has one input channel a filter.
        let outputs = min(dims[0], dims[1] == 1 ? Self.mostChannels * Self.mostChannels / 4 : Self.mostChannels)
        let inputs = min(dims[1], Self.mostChannels)
        let area = dims[2] * dims[3]
        var dots: [UInt8] = []
        for output in 0..<outputs {
            for input in 0..<inputs {
                let start = (output * dims[1] + input) * area
                dots += scaled(Array(start..<start + area))
            }
        }
        return WeightReport.Picture(
            kind: .filters, count: outputs * inputs, height: dims[2], width: dims[3],
            columns: inputs > 1 ? inputs : min(Self.mostChannels, outputs), dots: dots)
    }

    private func matrix() -> WeightReport.Picture {
        let (height, width) = (min(dims[0], Self.largestMatrix), min(dims[1], Self.largestMatrix))
        var indices: [Int] = []
        for row in 0..<height {
            for column in 0..<width {
                indices.append(row * dims[0] / height * dims[1] + column * dims[1] / width)
            }
        }
        return WeightReport.Picture(
            kind: .matrix, count: 1, height: height, width: width, columns: 1, dots: scaled(indices))
    }

    private func scaled(_ indices: [Int]) -> [UInt8] {
        let values = indices.map { reader[$0] }
        let greatest = values.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
        guard greatest > 0 else { return values.map { _ in 128 } }
        return values.map { $0.isFinite ? UInt8(128 + ($0 / greatest * 127).rounded()) : 128 }
    }
}
