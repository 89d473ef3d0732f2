import CKernels
import GraphIR
import TensorCore

/// ONNX Conv (1, 11, 22), `sardonyx.Conv` and com.microsoft FusedConv, which add a residual and an activation:
/// y = activation(conv(x, w) + bias + residual).
///
/// x `[N, C, d…]`, w `[K, C/group, k…]`, bias `[K]`, residual in the shape and layout of y. y is `[N, K, o…]`, or
/// `[N, OH, OW, K]` with `channels_last`.
struct Conv: Operator {
    static let elementTypes: [DType] = [.float32, .float64, .float16, .bfloat16]
    let window: WindowAttributes
    let groups: Int
    let activation: sx_activation
    let channelsLast: Bool
    private(set) var plan = Plan.empty
    private(set) var preparedInputs: [Int] = []
    private(set) var scratchByteCount = 0
    /// Bytes at the start of the scratch for a blocked copy of a plain input; 0 when it is read as it is.
    private(set) var copiedInputByteCount = 0

    /// How `run` computes, decided once the shapes are known.
    enum Plan: Sendable {
        case empty
        /// 1-D and 2-D float32; `packed` is missing for weights that are not constant.
        case planar(sx_conv_shape, sx_conv_algorithm, packed: Buffer?, packedByteCount: Int)
        case volume(sx_conv_nd_shape)
        case float64(ConvGeometry)
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        window = try WindowAttributes(node)
        groups = try node.int("group", default: 1)
        let isFused = node.node.domain != Domains.onnx
        activation = try node.fusedActivation()
        channelsLast = isFused ? try node.bool("channels_last", default: false) : false
        guard isFused || node.inputCount <= 3 else {
            throw node.error(.graph, "inputs", got: "\(node.inputCount)", allowed: "2 or 3")
        }
        guard groups > 0 else { throw node.error(.shape, "attribute group", got: "\(groups)", allowed: "1 or more") }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0), let w = try context.shape(1) else { return [Inferred(dtype, nil)] }
        try context.requireRank(0, 3...6, "input")
        try Self.checkShapes(x: x, w: w, groups: groups, window, at: context)
        let kernel = w.dims.dropFirst(2).map(\.value)
        if let k = w.dims[0].value, context.hasInput(2), let bias = try context.shape(2)?.knownDims, bias != [k] {
            throw context.error(.shape, "bias", got: "\(bias)", allowed: "[\(k)]")
        }
        let spatial = try window.outputDims(input: x.dims.dropFirst(2), kernel: kernel, label: context.node.label)
        let dims = channelsLast ? [x.dims[0]] + spatial + [w.dims[0]] : [x.dims[0], w.dims[0]] + spatial
        if context.hasInput(3), let residual = try context.shape(3)?.knownDims, let y = SymbolicShape(dims).knownDims,
            residual != y
        {
            throw context.error(.shape, "residual", got: "\(residual)", allowed: "\(y)")
        }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    /// Whether a weight can belong to an input `[N, C, d…]`.
    /// - Throws: `shape` when ranks, channels or `kernel_shape` do not fit.
    static func checkShapes(
        x: SymbolicShape, w: SymbolicShape, groups: Int, _ window: WindowAttributes, at place: some NodePlace
    ) throws(SardonyxError) {
        func fault(_ what: String, _ got: String, _ allowed: String) -> SardonyxError {
            place.error(.shape, what, got: got, allowed: allowed, hint: nil)
        }
        guard w.rank == x.rank else { throw fault("weight rank", "\(w)", "rank \(x.rank), that of the input \(x)") }
        if let c = x.dims[1].value, let perGroup = w.dims[1].value, CheckedSize.product(perGroup, groups) != c {
            throw fault("channels (axis 1)", "input \(c), weight \(perGroup) x \(groups) groups", "equal")
        }
        if let k = w.dims[0].value, k % groups != 0 {
            throw fault("output channels", "\(k)", "a multiple of group \(groups)")
        }
        if let declared = window.kernel,
            zip(declared, w.dims.dropFirst(2)).contains(where: { $1.value != nil && $0 != $1.value })
        {
            throw fault("attribute kernel_shape", "\(declared)", "that of the weight \(w)")
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (x, w, y) = (try context.input(0), try context.input(1), try context.output(0))
        let axes = try window.axes(input: x.shape.dropFirst(2), kernel: w.shape.dropFirst(2), label: context.node.label)
        guard y.shape.elementCount > 0 else { return plan = .empty }
        let geometry = ConvGeometry(
            batch: x.shape[0], input: x.shape[1], output: w.shape[0], groups: groups, axes: axes)
        if x.dtype == .float64 { return plan = .float64(geometry) }
        guard axes.count <= 2 else {
            var shape = geometry.kernelShape
            scratchByteCount = Int(sx_conv_nd_scratch_bytes(&shape, Int32(context.threads)))
            return plan = .volume(shape)
        }
        // The kernels are fast on blocked pixels; a plain input with channels enough for that is copied.
        if x.layout == .plain, x.shape[1] >= Layout.blockSize {
            copiedInputByteCount = try Layout.blocked16.storedElementCount(x.shape) * MemoryLayout<Float>.stride
        }
        let shape = geometry.planarShape(
            from: copiedInputByteCount > 0 ? .blocked16 : x.layout,
            to: channelsLast ? SX_LAYOUT_NHWC : y.layout.kernelLayout)
        try preparePlanar(shape, context)
    }

    private mutating func preparePlanar(_ geometry: sx_conv_shape, _ context: PrepareContext) throws(SardonyxError) {
        var shape = geometry
        let bias = context.constant(2)
        guard let weights = context.constant(1), bias != nil || !context.hasInput(2) else {
            let algorithm = sx_conv_choose(&shape, false)
            let packedBytes = try reserve(&shape, algorithm, context)
            guard
                let total = CheckedSize.roundUp(scratchByteCount, to: 64).flatMap({ CheckedSize.sum($0, packedBytes) })
            else {
                throw SardonyxError(.limit, context.node.label, "packed weights overflow")
            }
            scratchByteCount = total
            plan = .planar(shape, algorithm, packed: nil, packedByteCount: packedBytes)
            return
        }
        preparedInputs = bias == nil ? [1] : [1, 2]
        var algorithm = sx_conv_choose(&shape, context.weights.allowsWinograd)
        var packed = try pack(&shape, algorithm, weights, bias, context)
        if packed.byteCount == 0 {
            algorithm = sx_conv_choose(&shape, false)
            packed = try pack(&shape, algorithm, weights, bias, context)
        }
        let packedBytes = try reserve(&shape, algorithm, context)
        plan = .planar(shape, algorithm, packed: packed, packedByteCount: packedBytes)
    }

    /// Sets the scratch that an algorithm needs; returns the bytes of its packed weights.
    private mutating func reserve(
        _ shape: inout sx_conv_shape, _ algorithm: sx_conv_algorithm, _ context: PrepareContext
    ) throws(SardonyxError) -> Int {
        let packedBytes = Int(sx_conv_packed_bytes(&shape, algorithm))
        let scratchBytes = Int(sx_conv_scratch_bytes(&shape, algorithm, Int32(context.threads)))
        guard packedBytes >= 0, let total = CheckedSize.sum(copiedInputByteCount, scratchBytes) else {
            throw SardonyxError(.limit, context.node.label, "packed weights overflow")
        }
        scratchByteCount = total
        return packedBytes
    }

    /// The most that Winograd's sampled error may be of the output, both as root mean squares; ten times what it is
    /// for common weights.
    private static let winogradErrorLimit = 1e-5

    /// The weights packed for an algorithm. Empty, and kept so, where Winograd is too inexact for these weights.
    private func pack(
        _ geometry: inout sx_conv_shape, _ algorithm: sx_conv_algorithm, _ weights: Constant, _ bias: Constant?,
        _ context: PrepareContext
    ) throws(SardonyxError) -> Buffer {
        let key =
            "conv \(algorithm.rawValue) \(groups) \(geometry.input_layout.rawValue) \(geometry.output_layout.rawValue)"
        let byteCount = Int(sx_conv_packed_bytes(&geometry, algorithm))
        guard byteCount >= 0 else { throw SardonyxError(.limit, context.node.label, "packed weights overflow") }
        var shape = geometry
        let threads = Int32(context.threads)
        return try context.weights.packed(weights, with: bias, key) { (tensor) throws(SardonyxError) in
            let buffer = try Buffer(byteCount: byteCount)
            let biasTensor = try bias?.tensor()
            defer { withExtendedLifetime((tensor, biasTensor)) {} }
            let weightFloats = tensor.elements(of: Float.self).baseAddress
            let biasFloats = biasTensor?.elements(of: Float.self).baseAddress
            sx_conv_pack(&shape, algorithm, weightFloats, biasFloats, buffer.pointer, threads)
            guard algorithm == SX_CONV_WINOGRAD else { return buffer }
            let error = sx_conv_sample_error(&shape, algorithm, weightFloats, biasFloats, buffer.pointer, threads)
            return error <= Self.winogradErrorLimit ? buffer : try Buffer(byteCount: 0)
        }
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let residual = context.hasInput(3) ? try context.input(3) : nil
        switch plan {
        case .empty: return
        case .planar(var shape, let algorithm, let packed, let packedBytes):
            var weights = packed?.pointer
            if weights == nil, let scratch = context.scratch {
                let memory = scratch + (scratchByteCount - packedBytes)
                let bias = context.hasInput(2) ? try context.input(2).floats : nil
                sx_conv_pack(&shape, algorithm, try context.input(1).floats, bias, memory, Int32(context.threads))
                weights = memory
            }
            var epilogue = sx_conv_epilogue(residual: residual.map { UnsafePointer($0.floats) }, activation: activation)
            let input = try inputPixels(of: shape, context)
            sx_conv(
                &shape, algorithm, input, weights, &epilogue, try context.output(0).floats,
                context.scratch.map { $0 + copiedInputByteCount }, Int32(context.threads))
        case .volume(var shape):
            let y = try context.output(0)
            let bias = context.hasInput(2) ? try context.input(2).floats : nil
            let identity = sx_activation(op: SX_UNARY_IDENTITY, a: 0, b: 0)
            sx_conv_nd(
                &shape, try context.input(0).floats, try context.input(1).floats, bias,
                residual == nil ? activation : identity, y.floats, context.scratch, Int32(context.threads))
            guard let residual else { return }
            var (count, step) = (Int64(y.elementCount), Int64(1))
            sx_binary(
                SX_BINARY_ADD, y.floats, residual.floats, y.floats, 1, &count, &step, &step, Int32(context.threads))
            sx_unary(activation, y.floats, y.floats, count, Int32(context.threads))
        case .float64(let geometry):
            let bias = context.hasInput(2) ? try context.input(2).elements(Double.self) : nil
            try geometry.convolve(
                try context.input(0).elements(Double.self), try context.input(1).elements(Double.self), bias,
                try context.output(0).elements(Double.self), context)
        }
    }
}

extension Conv {
    /// The input as the kernels read it, copied to the scratch where its layout is not theirs.
    func inputPixels(of shape: sx_conv_shape, _ context: RunContext) throws(SardonyxError) -> UnsafePointer<Float> {
        let input = try context.input(0).floats
        guard copiedInputByteCount > 0, let scratch = context.scratch else { return UnsafePointer(input) }
        let copy = scratch.assumingMemoryBound(to: Float.self)
        sx_reorder(
            SX_LAYOUT_PLAIN, SX_LAYOUT_BLOCKED16, shape.n, shape.c, shape.h * shape.w, input, copy,
            Int32(context.threads))
        return UnsafePointer(copy)
    }

    /// Blocked where the channels fill blocks; a stem reads plain pixels; `channels_last` writes plain memory.
    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, let y = outputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4 else {
            return nil
        }
        var layouts = [Layout](repeating: .plain, count: inputs.count)
        let k = channelsLast ? y.shape[3] : y.shape[1]
        if x.layout == .blocked16 || x.shape[1] >= Layout.blockSize { layouts[0] = .blocked16 }
        let output: Layout = channelsLast || k < Layout.blockSize ? .plain : .blocked16
        if inputs.count > 3 { layouts[3] = output }
        return LayoutChoice(inputs: layouts, outputs: [output])
    }

    /// The residual: each element of it is read just before the same element of the output is written.
    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        guard input == 3, let residual = inputs[3], let y = outputs.first ?? nil else { return false }
        return residual == y && y.shape.rank <= 4 && y.dtype == .float32
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard inputs.count > 1, let w = inputs[1], let y = outputs.first ?? nil, w.shape[0] > 0 else { return 0 }
        return CheckedSize.product(y.shape.elementCount, w.shape.elementCount / w.shape[0]) ?? .max
    }

    func executedMultiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard case .planar(var shape, let algorithm, _, _) = plan else { return multiplyAccumulates(inputs, outputs) }
        return Int(sx_conv_executed_macs(&shape, algorithm))
    }

    var algorithm: String {
        switch plan {
        case .empty: ""
        case .planar(_, let algorithm, _, _): String(cString: sx_conv_algorithm_name(algorithm))
        case .volume: "columns"
        case .float64: "float64"
        }
    }
}
