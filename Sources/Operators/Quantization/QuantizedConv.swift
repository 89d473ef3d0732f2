import CKernels
import GraphIR
import TensorCore

/// Convolutions of 8-bit numbers with exact int32 sums: ONNX ConvInteger (10), whose output these are, and QLinearConv
/// (10), y = saturate(round((sum + bias) x scale w scale / y scale) + y zero).
///
/// x `[N, C, d…]`, w `[K, C/group, k…]`, y `[N, K, o…]`; com.microsoft QLinearConv has x and y as `[N, d…, C]` with
/// `channels_last`. Scale and zero point of w are for the tensor or for each output channel; bias `[K]` of int32.
///
/// Unchecked, because the kernel's arguments hold pointers: the only one that is set between runs is to packed weights.
struct QuantizedConv: Operator, @unchecked Sendable {
    static let elementTypes: [DType] = DType.bytes
    private let window: WindowAttributes
    private let groups: Int
    private let channelsLast: Bool
    /// ConvInteger has no scales: x, w and the zero points.
    private let isLinear: Bool
    private let w: Int, xZero: Int, wZero: Int
    private var arguments = sx_qgemm_args()
    private var image = sx_qgemm_image()
    private var packed: Buffer?
    private(set) var preparedInputs: [Int] = []
    private var regions = ScratchRegions()
    private var scales = 0, packedWeights = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        window = try WindowAttributes(node)
        groups = try node.int("group", default: 1)
        channelsLast = try node.bool("channels_last", default: false)
        isLinear = node.node.opType == "QLinearConv"
        (w, xZero, wZero) = isLinear ? (3, 2, 5) : (1, 2, 3)
        guard groups > 0 else { throw node.error(.shape, "attribute group", got: "\(groups)", allowed: "1 or more") }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireDType(w, DType.bytes, "weight")
        for (zero, of) in [(xZero, 0), (wZero, w)] where context.hasInput(zero) {
            try context.requireDType(zero, [try context.dtype(of)], "zero point")
        }
        var dtype = DType.int32
        if isLinear {
            for scale in [1, 4, 6] { try context.requireDType(scale, [.float32], "scale") }
            try context.requireDType(7, DType.bytes, "zero point of y")
            if context.hasInput(8) { try context.requireDType(8, [.int32], "bias") }
            dtype = try context.dtype(7)
        }
        guard let given = try context.shape(0), let weight = try context.shape(w) else { return [Inferred(dtype, nil)] }
        try context.requireRank(0, 3...5, "input")
        let dims =
            channelsLast ? [given.dims[0], given.dims[given.rank - 1]] + given.dims[1..<given.rank - 1] : given.dims
        try Conv.checkShapes(x: SymbolicShape(dims), w: weight, groups: groups, window, at: context)
        for index in isLinear ? [4, wZero, 8] : [wZero] where context.hasInput(index) {
            guard let own = try context.shape(index)?.knownDims, let k = weight.dims[0].value else { continue }
            guard CheckedSize.product(own) == 1 && index != 8 || own == [k] else {
                throw context.error(
                    .shape, "input \(index)", got: "\(own)", allowed: index == 8 ? "[\(k)]" : "1 element or [\(k)]")
            }
        }
        for index in isLinear ? [1, xZero, 6, 7] : [xZero] where context.hasInput(index) {
            guard let own = try context.shape(index)?.knownDims, CheckedSize.product(own) != 1 else { continue }
            throw context.error(.shape, "input \(index)", got: "\(own)", allowed: "1 element")
        }
        let spatial = try window.outputDims(
            input: dims.dropFirst(2), kernel: weight.dims.dropFirst(2).map(\.value), label: context.node.label)
        let y = channelsLast ? [dims[0]] + spatial + [weight.dims[0]] : [dims[0], weight.dims[0]] + spatial
        return [Inferred(dtype, SymbolicShape(y))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (x, weight) = (try context.input(0), try context.input(w))
        let dims = x.shape.dims
        let spatial = channelsLast ? Array(dims[1..<dims.count - 1]) : Array(dims.dropFirst(2))
        let channels = channelsLast ? dims[dims.count - 1] : dims[1]
        var axes = try window.axes(input: spatial, kernel: weight.shape.dropFirst(2), label: context.node.label)
        if axes.allSatisfy({ $0.kernel == 1 && $0.stride == 1 && $0.padBegin == 0 && $0.padEnd == 0 }) {
            // A product of matrices: one row of pixels.
            let pixels = spatial.reduce(1, *)
            axes = [WindowAxis(input: pixels, output: pixels)]
        }
        guard let (depth, height, width) = axes.threeAxes else {
            throw context.error(.unsupported, "spatial axes", got: "\(axes.count)", allowed: "at most 3")
        }
        setImage([depth, height, width], channels: channels, isSigned: x.dtype == .int8)
        let (k, perGroup) = (weight.shape[0], weight.shape[0] / groups)
        let pixels = axes.map(\.output).reduce(1, *)
        arguments = sx_qgemm_args()
        (arguments.m, arguments.n) = (Int64(perGroup), Int64(pixels))
        arguments.k = Int64(k == 0 ? 0 : weight.shape.elementCount / k)
        (arguments.images, arguments.groups) = (Int64(dims[0]), Int64(groups))
        (arguments.c_row, arguments.c_column) = channelsLast ? (1, Int64(k)) : (Int64(pixels), 1)
        arguments.c_image = Int64(k * pixels)
        arguments.c_group = Int64(channelsLast ? perGroup : perGroup * pixels)
        arguments.a.row_stride = arguments.k
        arguments.a.column_stride = 1
        arguments.a.is_signed = weight.dtype == .int8
        let hasVector = context.hasInput(wZero) ? try context.input(wZero).shape.elementCount > 1 : false
        arguments.a.zero_step = hasVector ? 1 : 0
        arguments.bias_row = 1
        regions = ScratchRegions()
        let scratchBytes = withUnsafePointer(to: image) { pointer in
            var arguments = arguments
            arguments.image = pointer
            return Int(sx_qgemm_scratch_bytes(&arguments, Int32(context.threads)))
        }
        _ = try regions.add(scratchBytes < 0 ? nil : scratchBytes, at: context)
        scales = try regions.add(CheckedSize.product(k, 4), at: context)
        try packWeights(k, context)
    }

    private mutating func setImage(_ axes: [WindowAxis], channels: Int, isSigned: Bool) {
        image = sx_qgemm_image()
        image.is_signed = isSigned
        image.channels = Int64(channels / groups)
        let pixels = axes.map(\.input).reduce(1, *)
        let step = channelsLast ? channels : 1
        image.channel_stride = Int64(channelsLast ? 1 : pixels)
        image.image_stride = Int64(channels * pixels)
        image.group_stride = image.channels * image.channel_stride
        fillExtents(&image.axis_stride, [axes[1].input * axes[2].input * step, axes[2].input * step, step])
        fillExtents(&image.in, axes.map(\.input))
        fillExtents(&image.out, axes.map(\.output))
        fillExtents(&image.kernel, axes.map(\.kernel))
        fillExtents(&image.stride, axes.map(\.stride))
        fillExtents(&image.dilation, axes.map(\.dilation))
        fillExtents(&image.pad_begin, axes.map(\.padBegin))
    }

    /// Packs constant weights with a constant zero point; other ones are packed by each run, in scratch.
    private mutating func packWeights(_ k: Int, _ context: PrepareContext) throws(SardonyxError) {
        let bytes = Int(sx_qgemm_packed_a_bytes(Int64(k), arguments.k))
        guard bytes >= 0 else { throw context.error(.limit, "packed weights overflow") }
        let hasZero = context.hasInput(wZero)
        guard let weights = context.constant(w), !hasZero || context.constant(wZero) != nil, arguments.k > 0 else {
            packedWeights = try regions.add(bytes, at: context)
            return
        }
        let zero = hasZero ? context.constant(wZero) : nil
        let (form, elements, threads) = (arguments.a, arguments.k, Int32(context.threads))
        packed = try context.weights.packed(weights, with: zero, "qgemm a \(k) \(elements)") {
            (tensor) throws(SardonyxError) in
            let buffer = try Buffer(byteCount: bytes)
            let zeroTensor = try zero?.tensor()
            var matrix = form
            matrix.elements = tensor.pointer
            matrix.zero = zeroTensor.map { UnsafeRawPointer($0.pointer) }
            sx_qgemm_pack_a(Int64(k), elements, &matrix, buffer.pointer, threads)
            withExtendedLifetime((tensor, zeroTensor)) {}
            return buffer
        }
        arguments.packed_a = packed.map { UnsafeRawPointer($0.pointer) }
        preparedInputs = hasZero ? [w, wZero] : [w]
    }

    var scratchByteCount: Int { regions.byteCount }

    func run(_ context: RunContext) throws(SardonyxError) {
        let y = try context.output(0)
        guard let scratch = context.scratch, y.elementCount > 0 else { return }
        var (g, image) = (arguments, image)
        let x = try context.input(0)
        image.elements = UnsafeRawPointer(x.pointer)
        if context.hasInput(xZero) { image.zero = try context.input(xZero).byte(0) }
        let k = Int(g.m) * groups
        if g.packed_a == nil {
            g.a.elements = UnsafeRawPointer(try context.input(w).pointer)
            if context.hasInput(wZero) { g.a.zero = UnsafeRawPointer(try context.input(wZero).pointer) }
            sx_qgemm_pack_a(Int64(k), g.k, &g.a, scratch + packedWeights, Int32(context.threads))
            g.packed_a = UnsafeRawPointer(scratch + packedWeights)
        }
        g.output = SX_QGEMM_SUMS
        if isLinear {
            g.output = y.dtype == .int8 ? SX_QGEMM_INT8 : SX_QGEMM_UINT8
            g.zero = try context.input(7).byte(0)
            if context.hasInput(8) { g.bias = UnsafePointer(try context.input(8).typed(Int32.self)) }
            let factors = (scratch + scales).assumingMemoryBound(to: Float.self)
            let own = try context.input(4)
            let (xScale, yScale) = (try context.input(1).floats[0], try context.input(6).floats[0])
            for i in 0..<own.elementCount { factors[i] = xScale * own.floats[i] / yScale }
            g.row_scale = UnsafePointer(factors)
            g.row_scale_step = own.elementCount > 1 ? 1 : 0
        }
        g.c = y.pointer
        withUnsafePointer(to: &image) { pointer in
            g.image = pointer
            sx_qgemm(&g, scratch, Int32(context.threads))
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let y = outputs.first ?? nil else { return 0 }
        return CheckedSize.product(y.shape.elementCount, Int(arguments.k)) ?? .max
    }
}

extension TensorView {
    /// An element of an int8 or uint8 tensor.
    func byte(_ index: Int) -> Int32 {
        dtype == .int8 ? Int32(typed(Int8.self)[index]) : Int32(typed(UInt8.self)[index])
    }
}
