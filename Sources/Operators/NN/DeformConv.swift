import GraphIR
import TensorCore

/// ONNX DeformConv (19, 22): a convolution of x `[N, C, H, W]` with w `[K, C / group, kH, kW]` whose taps are moved by
/// offset `[N, offset_group · kH · kW · 2, oH, oW]` (rows, columns; between pixels bilinear, outside zero) and scaled
/// by the optional mask `[N, offset_group · kH · kW, oH, oW]`; bias `[K]`.
struct DeformConv: Operator {
    static let elementTypes: [DType] = DType.floating
    private let window: WindowAttributes
    private let groups: Int
    private let offsetGroups: Int
    private var axes: (height: WindowAxis, width: WindowAxis) = (WindowAxis(), WindowAxis())
    private var products: MatrixProducts?
    /// Where the columns `[C, kH, kW, oH, oW]` and the corners of one tap begin in scratch.
    private var regions: (columns: Int, corners: Int) = (0, 0)
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        window = try WindowAttributes(node)
        groups = try node.int("group", default: 1)
        offsetGroups = try node.int("offset_group", default: 1)
        guard groups >= 1, offsetGroups >= 1 else {
            throw node.error(
                .shape, "group and offset_group", got: "\(groups) and \(offsetGroups)", allowed: "1 or more")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        for index in [1, 2, 3, 4] where context.hasInput(index) || index < 3 {
            try context.requireDType(index, [dtype], "input \(index)")
        }
        let (x, w) = (try context.dims(0, rank: 4, "X"), try context.dims(1, rank: 4, "W"))
        if let channels = x[1].value, let output = w[0].value, let perGroup = w[1].value {
            guard CheckedSize.product(perGroup, groups) == channels, output % groups == 0, channels % offsetGroups == 0
            else {
                throw context.error(
                    .shape, "W", got: "[\(output), \(perGroup), …] in \(groups) groups, \(offsetGroups) of offsets",
                    allowed: "shares of \(channels) channels")
            }
        }
        let kernel: [Int?] = (0..<2).map { axis in
            w[2 + axis].value ?? (window.kernel?.count == 2 ? window.kernel?[axis] : nil)
        }
        if let given = window.kernel, given.count != 2 || zip(given, kernel).contains(where: { $0 != $1 }) {
            throw context.error(.shape, "attribute kernel_shape", got: "\(given)", allowed: "that of W, \(kernel)")
        }
        let spatial = try window.outputDims(input: x[2...], kernel: kernel, label: context.node.label)
        let taps = try context.product(kernel.map { $0.map { .known($0) } ?? .unknown } + [.known(offsetGroups)])
        try context.requireShape(2, [x[0], try context.product([taps, .known(2)])] + spatial, "offset")
        try context.requireShape(3, [w[0]], "B")
        try context.requireShape(4, [x[0], taps] + spatial, "mask")
        return [Inferred(dtype, SymbolicShape([x[0], w[0]] + spatial))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (x, w) = (try context.input(0), try context.input(1).shape)
        let axes = try window.axes(input: x.shape[2...], kernel: w[2...], label: context.node.label)
        guard axes.count == 2 else { throw context.error(.internal, "spatial axes", got: "\(axes.count)") }
        self.axes = (axes[0], axes[1])
        let pixels = CheckedSize.product(axes[0].output, axes[1].output)
        guard let pixels, let depth = CheckedSize.product(w[1], w[2], w[3]) else {
            throw context.error(.limit, "columns overflow")
        }
        guard let plane = CheckedSize.product(x.shape[2], x.shape[3]), plane <= Int(Int32.max) else {
            throw context.error(.limit, "X", got: "\(x.shape)", allowed: "images below 2^31 pixels")
        }
        var products = try MatrixProducts(
            m: w[0] / groups, n: pixels, k: depth,
            bias: context.hasInput(3) ? MatrixProducts.Bias(rowStride: 1, columnStride: 0, beta: 1) : nil,
            dtype: x.dtype, threads: context.threads, at: context)
        _ = try products.pack(nil, batches: 1, context)
        self.products = products
        var scratch = ScratchRegions()
        _ = try scratch.add(products.scratchByteCount, at: context)
        regions.columns = try scratch.add(
            CheckedSize.product(groups, depth, pixels, x.dtype.byteSize), at: context)
        regions.corners = try scratch.add(
            CheckedSize.product(pixels, x.dtype == .float64 ? Corners<Double>.byteCount : Corners<Float>.byteCount),
            at: context)
        scratchByteCount = scratch.byteCount
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        guard try context.output(0).elementCount > 0 else { return }
        if try context.input(0).dtype == .float64 {
            try run(Double.self, context)
        } else {
            try run(Float.self, context)
        }
    }

    /// The four pixels around a moved tap and their weights, for one output position.
    private struct Corners<T: Number & BinaryFloatingPoint> {
        static var byteCount: Int { MemoryLayout<Corners<T>>.stride }
        var index: SIMD4<Int32> = .zero
        var weight: (T, T, T, T) = (0, 0, 0, 0)

        init(_ y: T, _ x: T, _ height: Int, _ width: Int, _ scale: T) {
            guard y > -1, x > -1, y < T(height), x < T(width) else { return }
            let (top, left) = (y.rounded(.down), x.rounded(.down))
            let (low, right) = (y - top, x - left)
            let (row, column) = (Int(top), Int(left))
            func corner(_ r: Int, _ c: Int, _ value: T) -> (Int32, T) {
                let isInside = r >= 0 && c >= 0 && r < height && c < width
                return isInside ? (Int32(truncatingIfNeeded: r * width + c), value * scale) : (0, 0)
            }
            (index[0], weight.0) = corner(row, column, (1 - low) * (1 - right))
            (index[1], weight.1) = corner(row, column + 1, (1 - low) * right)
            (index[2], weight.2) = corner(row + 1, column, low * (1 - right))
            (index[3], weight.3) = corner(row + 1, column + 1, low * right)
        }

        @inline(__always)
        func sample(_ plane: UnsafeMutablePointer<T>) -> T {
            weight.0 * plane[Int(index[0])] + weight.1 * plane[Int(index[1])] + weight.2 * plane[Int(index[2])]
                + weight.3 * plane[Int(index[3])]
        }
    }

    private func run<T: Number & BinaryFloatingPoint>(_ type: T.Type, _ context: RunContext) throws(SardonyxError) {
        let (x, w, y) = (try context.input(0), try context.input(1), try context.output(0))
        guard let scratch = context.scratch, let products else {
            throw context.error(.internal, "the node was not prepared")
        }
        let columns = (scratch + regions.columns).assumingMemoryBound(to: T.self)
        let corners = (scratch + regions.corners).assumingMemoryBound(to: Corners<T>.self)
        let bias = context.hasInput(3) ? try context.input(3).typed(T.self) : nil
        let pixels = axes.height.output * axes.width.output
        let taps = axes.height.kernel * axes.width.kernel
        let (channels, outputs) = (x.shape[1], y.shape[1] / groups)
        let depth = channels / groups * taps
        for n in 0..<x.shape[0] {
            for group in 0..<offsetGroups {
                for tap in 0..<taps {
                    try context.interruption?.check()
                    try locate(tap, row: (n * offsetGroups + group) * taps + tap, corners, context)
                    let share = channels / offsetGroups
                    for channel in (group * share)..<((group + 1) * share) {
                        let plane = x.typed(T.self) + (n * channels + channel) * x.shape[2] * x.shape[3]
                        let target = columns + (channel * taps + tap) * pixels
                        for pixel in 0..<pixels { target[pixel] = corners[pixel].sample(plane) }
                    }
                }
            }
            for group in 0..<groups {
                let target = y.pointer + (n * groups + group) * outputs * pixels * MemoryLayout<T>.stride
                try products.run(
                    a: w.pointer + group * outputs * depth * MemoryLayout<T>.stride,
                    b: UnsafeMutableRawPointer(columns + group * depth * pixels),
                    bias: bias.map { UnsafeMutableRawPointer($0 + group * outputs) },
                    c: target, context)
            }
        }
    }

    /// Where a tap reads, for every output position.
    /// - Parameter row: of the mask; twice it, of the offsets.
    private func locate<T: Number & BinaryFloatingPoint>(
        _ tap: Int, row: Int, _ corners: UnsafeMutablePointer<Corners<T>>, _ context: RunContext
    ) throws(SardonyxError) {
        let (height, width) = axes
        let pixels = height.output * width.output
        let offsets = try context.input(2).typed(T.self) + 2 * row * pixels
        let mask = context.hasInput(4) ? try context.input(4).typed(T.self) + row * pixels : nil
        for oh in 0..<height.output {
            let y = T(height.position(oh, tap / width.kernel))
            for ow in 0..<width.output {
                let pixel = oh * width.output + ow
                let x = T(width.position(ow, tap % width.kernel))
                corners[pixel] = Corners(
                    y + offsets[pixel], x + offsets[pixels + pixel], height.input, width.input, mask?[pixel] ?? 1)
            }
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard inputs.count > 1, let w = inputs[1], let y = outputs.first ?? nil, w.shape.rank == 4 else { return 0 }
        return CheckedSize.product([y.shape.elementCount] + w.shape.dims[1...]) ?? .max
    }
}
