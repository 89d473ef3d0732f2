import GraphIR
import TensorCore

/// ONNX GridSample (16, 20, 22): x `[N, C, d…]` sampled at grid `[N, o…, r]`, normalised positions with the innermost
/// axis first, to y `[N, C, o…]`; one to three spatial axes.
struct GridSample: Operator {
    static let elementTypes: [DType] = DType.numeric + [.bool]
    private enum Padding: String, CaseIterable, Sendable { case zeros, border, reflection }

    private let filter: ResizeFilter
    private let padding: Padding
    private let alignsCorners: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        switch try node.string("mode", default: "linear") {
        case "linear", "bilinear": filter = .linear
        case "cubic", "bicubic": filter = .cubic(a: -0.75)
        case "nearest": filter = .nearest(.roundPreferFloor)
        case let other:
            throw node.error(.unsupported, "attribute mode", got: "'\(other)'", allowed: "'linear', 'nearest', 'cubic'")
        }
        padding = try node.choice("padding_mode", default: .zeros)
        alignsCorners = try node.bool("align_corners", default: false)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(1, DType.floating, "grid")
        try context.requireRank(0, 3...5, "input")
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0), let grid = try context.shape(1) else { return [Inferred(dtype, nil)] }
        guard grid.rank == x.rank, (grid.dims[grid.rank - 1].value ?? x.rank - 2) == x.rank - 2,
            grid.dims[0].value == nil || x.dims[0].value == nil || grid.dims[0] == x.dims[0]
        else {
            throw context.error(
                .shape, "grid", got: "\(grid)",
                allowed: "[\(x.dims[0]), …, \(x.rank - 2)] of rank \(x.rank) for the input \(x)")
        }
        return [Inferred(dtype, SymbolicShape(Array(x.dims[..<2]) + Array(grid.dims[1..<grid.rank - 1])))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, grid, y) = (try context.input(0), try context.input(1), try context.output(0))
        guard y.elementCount > 0 else { return }
        let body = Body(operation: self, context: context, x: x, grid: grid, y: y)
        try context.placing { () throws(SardonyxError) in try withNumber(x.dtype, body) }
    }

    /// The source positions (`nil`: zero padding) and weights along one axis.
    private struct Taps {
        var count = 0
        var index: (Int?, Int?, Int?, Int?) = (nil, nil, nil, nil)
        var weight: (Double, Double, Double, Double) = (0, 0, 0, 0)

        mutating func append(_ position: Int?, _ value: Double) {
            switch count {
            case 0: (index.0, weight.0) = (position, value)
            case 1: (index.1, weight.1) = (position, value)
            case 2: (index.2, weight.2) = (position, value)
            default: (index.3, weight.3) = (position, value)
            }
            count += 1
        }

        func forEach(_ body: (Int, Double) -> Void) {
            if let index = index.0 { body(index, weight.0) }
            if let index = index.1 { body(index, weight.1) }
            if let index = index.2 { body(index, weight.2) }
            if let index = index.3 { body(index, weight.3) }
        }
    }

    private func taps(_ normalized: Double, _ extent: Int) -> Taps {
        let length = Double(extent)
        // Positions are rounded to float32 as in the standard's reference, which decides ties of `nearest`.
        var x = Double(Float(alignsCorners ? (normalized + 1) / 2 * (length - 1) : ((normalized + 1) * length - 1) / 2))
        if !x.isFinite { x = -2 }
        let isNearest = if case .nearest = filter { true } else { false }
        if isNearest { x = x.rounded(.toNearestOrEven) }
        if x < low || x > high(length) {
            switch padding {
            case .zeros: break
            case .border:
                // Not to the border itself: a cubic's taps are moved one by one, as PyTorch and ONNX Runtime do it.
                x = max(-filter.radius, min(x, length - 1 + filter.radius))
            case .reflection: x = reflected(x, length)
            }
        }
        var taps = Taps()
        if isNearest {
            taps.append(resolved(x, length), 1)
            return taps
        }
        let base = x.rounded(.down)
        let reach = filter.radius
        for offset in stride(from: 1 - reach, through: reach, by: 1) {
            taps.append(resolved(base + offset, length), filter.weight(base + offset - x))
        }
        return taps
    }

    private var low: Double { alignsCorners ? 0 : -0.5 }
    private func high(_ length: Double) -> Double { alignsCorners ? length - 1 : length - 0.5 }

    /// The position mirrored at the borders until it lies between them.
    private func reflected(_ x: Double, _ length: Double) -> Double {
        let (low, high) = (low, high(length))
        let range = high - low
        guard range > 0 else { return low }
        let distance = x < low ? low - x : x - high
        guard distance > 0 else { return x }
        let turns = (distance / range).rounded(.down)
        let rest = distance - turns * range
        let fromLow = (x < low) == (turns.truncatingRemainder(dividingBy: 2) == 0)
        return fromLow ? low + rest : high - rest
    }

    private func resolved(_ position: Double, _ length: Double) -> Int? {
        switch padding {
        case .zeros: position >= 0 && position < length ? Int(position) : nil
        case .border: Int(max(0, min(position, length - 1)))
        case .reflection: Int(max(0, min(reflected(position, length), length - 1)))
        }
    }

    /// Samples whose pixels are found before any channel is read.
    private static let block = 64

    private struct Body: NumberBody {
        let operation: GridSample
        let context: RunContext
        let x, grid, y: TensorView

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (operation, x, grid, y) = (operation, x, grid, y)
            let channels = x.shape[1]
            let inputSize = x.shape.dims.dropFirst(2).reduce(1, *)
            let outputSize = y.shape.dims.dropFirst(2).reduce(1, *)
            guard inputSize > 0 else { return y.elements(T.self).update(repeating: T.zero) }
            let blocks = (outputSize + GridSample.block - 1) / GridSample.block
            let taps = operation.mostTaps(axes: x.shape.rank - 2)
            let cost = CheckedSize.product(channels, taps, GridSample.block) ?? .max
            try context.inParallel(x.shape[0] * blocks, cost: cost) { range in
                GridSample.withScratch(taps) { pixels, ends in
                    for block in range {
                        let (n, first) = (block / blocks, block % blocks * GridSample.block)
                        let count = min(GridSample.block, outputSize - first)
                        let samples = Samples(operation, x.shape, grid, n * outputSize + first, count, pixels, ends)
                        for c in n * channels..<(n + 1) * channels {
                            samples.weigh(x.typed(T.self) + c * inputSize, y.typed(T.self) + c * outputSize + first)
                        }
                    }
                }
            }
        }
    }

    /// Room for the pixels of a block of samples, and for where those of each end.
    private static func withScratch(
        _ taps: Int, _ body: (UnsafeMutablePointer<Pixel>, UnsafeMutablePointer<Int>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Pixel.self, capacity: block * taps) { pixels in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: block) { ends in
                guard let pixels = pixels.baseAddress, let ends = ends.baseAddress else { return }
                body(pixels, ends)
            }
        }
    }

    private func mostTaps(axes: Int) -> Int {
        let along = if case .nearest = filter { 1 } else { Int(2 * filter.radius) }
        return (0..<axes).reduce(1) { taps, _ in taps * along }
    }

    private struct Pixel {
        var offset: Int
        var weight: Double
    }

    /// Neighbouring samples of an image: the pixels and weights that make each of them in any channel.
    private struct Samples {
        private let pixels: UnsafeMutablePointer<Pixel>
        private let count: Int
        /// By sample: the number of pixels up to its last.
        private let ends: UnsafeMutablePointer<Int>

        init(
            _ operation: GridSample, _ shape: Shape, _ grid: TensorView, _ first: Int, _ count: Int,
            _ pixels: UnsafeMutablePointer<Pixel>, _ ends: UnsafeMutablePointer<Int>
        ) {
            (self.pixels, self.ends) = (pixels, ends)
            self.count = count
            let axes = shape.rank - 2
            let (depth, height) = (axes > 2 ? shape[2] : 1, axes > 1 ? shape[axes] : 1)
            let width = shape[axes + 1]
            var single = Taps()
            single.append(0, 1)
            var found = 0
            for sample in 0..<count {
                let position = (first + sample) * axes
                let columns = operation.taps(grid.double(position), width)
                let rows = axes > 1 ? operation.taps(grid.double(position + 1), height) : single
                let slices = axes > 2 ? operation.taps(grid.double(position + 2), depth) : single
                slices.forEach { d, depthWeight in
                    rows.forEach { h, rowWeight in
                        columns.forEach { w, weight in
                            pixels[found] = Pixel(
                                offset: (d * height + h) * width + w, weight: depthWeight * rowWeight * weight)
                            found += 1
                        }
                    }
                }
                ends[sample] = found
            }
        }

        /// The samples of one channel. Four pixels, the commonest number, have no loop.
        func weigh<T: Number>(_ plane: UnsafeMutablePointer<T>, _ target: UnsafeMutablePointer<T>) {
            var next = 0
            for sample in 0..<count {
                let end = ends[sample]
                var sum = 0.0
                func add(_ pixel: Pixel) { sum += pixel.weight * plane[pixel.offset].asDouble }
                if end - next == 4 {
                    add(pixels[next])
                    add(pixels[next + 1])
                    add(pixels[next + 2])
                    add(pixels[next + 3])
                } else {
                    for pixel in next..<end { add(pixels[pixel]) }
                }
                next = end
                target[sample] = T(saturating: sum)
            }
        }
    }
}
