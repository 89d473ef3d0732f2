import CKernels
import GraphIR
import TensorCore

/// ONNX ConvTranspose (1, 11, 22): x `[N, C, d…]`, w `[C, K/group, k…]`, bias `[K]` to y `[N, K, o…]`.
struct ConvTranspose: Operator {
    static let elementTypes: [DType] = [.float32, .float64, .float16, .bfloat16]
    let window: WindowAttributes
    let groups: Int
    let outputPadding: [Int]?
    let outputShape: [Int]?
    private var geometry: ConvGeometry?
    private var packed: Buffer?
    /// Where the kernel's part of the scratch begins; before it are the packed weights unless they are constant.
    private var kernelOffset = 0
    private(set) var scratchByteCount = 0
    private(set) var preparedInputs: [Int] = []

    init(_ node: NodeReader) throws(SardonyxError) {
        window = try WindowAttributes(node)
        groups = try node.int("group", default: 1)
        outputPadding = try node.ints("output_padding")
        outputShape = try node.ints("output_shape")
        guard groups > 0 else { throw node.error(.shape, "attribute group", got: "\(groups)", allowed: "1 or more") }
        for (name, values) in [("output_padding", outputPadding), ("output_shape", outputShape)] {
            guard let values, !values.allSatisfy({ 0...CheckedSize.maximumElements ~= $0 }) else { continue }
            throw node.error(.shape, "attribute \(name)", got: "\(values)", allowed: "0 to 2^48 on every axis")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0), let w = try context.shape(1) else { return [Inferred(dtype, nil)] }
        try context.requireRank(0, 3...6, "input")
        guard w.rank == x.rank else {
            throw context.error(.shape, "weight rank", got: "\(w)", allowed: "rank \(x.rank), that of the input \(x)")
        }
        if let c = x.dims[1].value, let rows = w.dims[0].value, rows != c || c % groups != 0 {
            throw context.error(
                .shape, "channels", got: "input \(c), weight \(rows), group \(groups)",
                allowed: "input equal to the weight's axis 0 and a multiple of group")
        }
        let channels = w.dims[1].value.flatMap { CheckedSize.product($0, groups) }
        if let channels, context.hasInput(2), let bias = try context.shape(2)?.knownDims, bias != [channels] {
            throw context.error(.shape, "bias", got: "\(bias)", allowed: "[\(channels)]")
        }
        var dims: [Dim] = [x.dims[0], channels.map(Dim.known) ?? .unknown]
        try requireSpatialRank(x.rank - 2, context.node.label)
        for index in 0..<x.rank - 2 {
            guard let input = x.dims[index + 2].value, let kernel = w.dims[index + 2].value else {
                dims.append(.unknown)
                continue
            }
            dims.append(
                .known(try axis(index, of: x.rank - 2, input: input, kernel: kernel, context.node.label).output))
        }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    private func requireSpatialRank(_ rank: Int, _ label: String) throws(SardonyxError) {
        try window.requireSpatialRank(rank, label)
        guard (outputPadding?.count ?? rank) == rank, [nil, rank, rank + 2].contains(outputShape?.count) else {
            throw SardonyxError(
                .shape, label, "attribute output_padding or output_shape",
                got: "\(outputPadding ?? []), \(outputShape ?? [])", allowed: "\(rank) entries")
        }
    }

    /// One axis: `input` is x's extent, `output` y's.
    private func axis(
        _ index: Int, of rank: Int, input: Int, kernel: Int, _ label: String
    ) throws(SardonyxError) -> WindowAxis {
        var axis = WindowAxis(input: input, kernel: kernel)
        axis.stride = window.strides?[index] ?? 1
        axis.dilation = window.dilations?[index] ?? 1
        guard let steps = CheckedSize.product(max(input - 1, 0), axis.stride),
            let reach = CheckedSize.product(max(kernel - 1, 0), axis.dilation),
            let full = CheckedSize.sum(steps, reach, 1, outputPadding?[index] ?? 0), full <= CheckedSize.maximumElements
        else { throw SardonyxError(.limit, label, "output extent on spatial axis \(index) overflows") }
        if window.autoPad == .notSet && outputShape == nil {
            axis.padBegin = window.pads?[index] ?? 0
            axis.padEnd = window.pads?[index + rank] ?? 0
            axis.output = full - axis.padBegin - axis.padEnd
        } else {
            // output_shape may also list N and K in front (opset 1).
            let same = window.autoPad == .sameUpper || window.autoPad == .sameLower
            let scaled = same ? CheckedSize.product(input, axis.stride) : full
            axis.output = outputShape.map { $0[$0.count - rank + index] } ?? scaled ?? full
            let total = max(full - axis.output, 0)
            axis.padBegin = window.autoPad == .sameUpper ? total / 2 : total - total / 2
            axis.padEnd = total - axis.padBegin
        }
        guard axis.output > 0 || input == 0 else {
            throw SardonyxError(
                .shape, label, "output extent on spatial axis \(index)", got: "\(axis.output)", allowed: "1 or more")
        }
        return axis
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (x, w, y) = (try context.input(0), try context.input(1), try context.output(0))
        var axes: [WindowAxis] = []
        for index in 0..<x.shape.rank - 2 {
            axes.append(
                try axis(
                    index, of: x.shape.rank - 2, input: x.shape[index + 2], kernel: w.shape[index + 2],
                    context.node.label))
        }
        guard y.shape.elementCount > 0 else { return }
        let geometry = ConvGeometry(
            batch: x.shape[0], input: x.shape[1], output: y.shape[1], groups: groups, axes: axes)
        self.geometry = geometry
        if x.dtype != .float64 { try prepareKernel(geometry.kernelShape, weights: w.shape, context) }
    }

    private mutating func prepareKernel(
        _ geometry: sx_conv_nd_shape, weights: Shape, _ context: PrepareContext
    ) throws(SardonyxError) {
        var shape = geometry
        let threads = Int32(context.threads)
        let byteCount = CheckedSize.product(weights.elementCount, MemoryLayout<Float>.stride)
        if let constant = context.constant(1), let byteCount {
            packed = try context.weights.packed(constant, "transposed conv \(groups)") {
                (tensor) throws(SardonyxError) in
                let buffer = try Buffer(byteCount: byteCount)
                sx_conv_transpose_pack(
                    &shape, tensor.elements(of: Float.self).baseAddress,
                    buffer.pointer.assumingMemoryBound(to: Float.self), threads)
                withExtendedLifetime(tensor) {}
                return buffer
            }
            preparedInputs = [1]
        }
        var regions = ScratchRegions()
        if packed == nil { _ = try regions.add(byteCount, at: context) }
        kernelOffset = try regions.add(Int(sx_conv_transpose_scratch_bytes(&shape, threads)), at: context)
        scratchByteCount = regions.byteCount
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let y = try context.output(0)
        guard let geometry, y.elementCount > 0 else { return }
        let x = try context.input(0)
        let bias = context.hasInput(2) ? try context.input(2) : nil
        guard x.dtype != .float64 else {
            return try geometry.convolveTransposed(
                x.elements(), try context.input(1).elements(), bias?.elements(), y.elements(), context)
        }
        guard let weights = packed?.pointer ?? context.scratch else { return }
        let filters = weights.assumingMemoryBound(to: Float.self)
        var shape = geometry.kernelShape
        if packed == nil {
            sx_conv_transpose_pack(&shape, try context.input(1).floats, filters, Int32(context.threads))
        }
        let identity = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0)
        sx_conv_transpose(
            &shape, x.floats, filters, bias?.floats, identity, y.floats, context.scratch.map { $0 + kernelOffset },
            Int32(context.threads))
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard inputs.count > 1, let x = inputs[0], let w = inputs[1], w.shape[0] > 0 else { return 0 }
        return CheckedSize.product(x.shape.elementCount, w.shape.elementCount / w.shape[0]) ?? .max
    }
}
