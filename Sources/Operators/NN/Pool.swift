import CKernels
import GraphIR
import TensorCore

/// ONNX MaxPool (1, 8, 10, 11, 12, 22), AveragePool (1, 7, 10, 11, 19, 22) and LpPool (1, 2, 11, 18, 22):
/// x `[N, C, d…]` to y `[N, C, o…]`, and for MaxPool the flat offset in x of each maximum (int64).
struct Pool: Operator {
    static let elementTypes: [DType] = DType.floating + [.int8, .uint8]
    enum Kind: Sendable {
        case maximum(columnMajor: Bool)
        case average(countsPadding: Bool)
        case norm(p: Double)
    }

    let kind: Kind
    let window: WindowAttributes
    private var axes: [WindowAxis] = []
    private var shape = sx_pool_shape()

    init(_ node: NodeReader) throws(SardonyxError) {
        window = try WindowAttributes(node)
        switch node.node.opType {
        case "MaxPool": kind = .maximum(columnMajor: try node.bool("storage_order", default: false))
        case "AveragePool": kind = .average(countsPadding: try node.bool("count_include_pad", default: false))
        default: kind = .norm(p: try Pool.order(node))
        }
        _ = try node.required("kernel_shape", window.kernel)
    }

    /// The attribute `p` of the Lp operators: a float in opset 1, an int since.
    /// - Throws: `value` for an order below 1.
    static func order(_ node: NodeReader) throws(SardonyxError) -> Double {
        let p = node.opset < 2 ? Double(try node.float("p", default: 2)) : Double(try node.int("p", default: 2))
        guard p >= 1 else { throw node.error(.value, "attribute p", got: "\(p)", allowed: "1 or more") }
        return p
    }

    private var takesBytes: Bool { if case .maximum = kind { true } else { false } }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        try context.requireDType(0, DType.floating + (takesBytes ? [.int8, .uint8] : []), "input")
        try context.requireRank(0, 3...(2 + Int(SX_POOL_MAX_RANK)), "input")
        var shape = try context.shape(0)
        if let x = shape, let kernel = window.kernel {
            let spatial = try window.outputDims(
                input: x.dims.dropFirst(2), kernel: kernel, countsWindowsInPadding: context.countsWindowsInPadding,
                label: context.node.label)
            shape = SymbolicShape(x.dims[..<2] + spatial)
        }
        return [Inferred(dtype, shape), Inferred(.int64, shape)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let x = try context.input(0)
        axes = try window.axes(input: x.shape.dropFirst(2), kernel: window.kernel ?? [], label: context.node.label)
        if case .norm = kind {} else if x.shape.elementCount > 0 { try requireFilledWindows(context.node.label) }
        guard x.dtype != .float32, axes.count > 3 else {
            shape = kernelShape(x)
            return
        }
        throw SardonyxError(
            .unsupported, context.node.label, "spatial axes of \(x.dtype)", got: "\(axes.count)", allowed: "1 to 3")
    }

    /// - Throws: `shape` when a window would see padding only.
    private func requireFilledWindows(_ label: String) throws(SardonyxError) {
        for (index, axis) in axes.enumerated() {
            // Unless taps step over the whole input, the outermost windows have the fewest inside.
            let step = axis.input >= axis.dilation ? max(axis.output - 1, 1) : 1
            let windows = stride(from: 0, to: axis.output, by: step)
            guard let empty = windows.first(where: { axis.insideTaps($0).isEmpty }) else { continue }
            throw SardonyxError(
                .shape, label, "window \(empty) of spatial axis \(index) lies in the padding",
                got: "pads \(axis.padBegin) and \(axis.padEnd)", allowed: "less than the kernel's reach")
        }
    }

    private func kernelShape(_ x: TensorInfo) -> sx_pool_shape {
        var shape = sx_pool_shape()
        shape.batch = Int64(x.shape[0])
        shape.channels = Int64(x.shape[1])
        shape.blocked = x.layout == .blocked16
        shape.spatial_rank = Int32(axes.count)
        fillExtents(&shape.in, axes.map(\.input))
        fillExtents(&shape.out, axes.map(\.output))
        fillExtents(&shape.kernel, axes.map(\.kernel))
        fillExtents(&shape.stride, axes.map(\.stride))
        fillExtents(&shape.dilation, axes.map(\.dilation))
        fillExtents(&shape.pad_begin, axes.map(\.padBegin))
        fillExtents(&shape.pad_end, axes.map(\.padEnd))
        return shape
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard y.elementCount > 0 else { return }
        let indices = context.hasOutput(1) ? try context.output(1) : nil
        var shape = shape
        switch (kind, x.dtype) {
        case (.maximum(let columnMajor), .float32):
            let offsets = indices?.pointer.assumingMemoryBound(to: Int64.self)
            sx_max_pool(&shape, x.floats, y.floats, offsets, columnMajor, Int32(context.threads))
        case (.average(let countsPadding), .float32):
            sx_average_pool(&shape, x.floats, y.floats, countsPadding, Int32(context.threads))
        default:
            try poolGeneric(x, y, indices, context)
        }
    }

    private func poolGeneric(
        _ x: TensorView, _ y: TensorView, _ indices: TensorView?, _ context: RunContext
    ) throws(SardonyxError) {
        guard let windows = PoolWindows(planes: x.shape[0] * x.shape[1], axes: axes) else {
            throw context.error(.unsupported, "spatial axes", got: "\(axes.count)", allowed: "1 to 3")
        }
        switch (kind, x.dtype) {
        case (.maximum(let columnMajor), .float64):
            windows.maximum(x.elements(Double.self), y.elements(), indices?.elements(), columnMajor)
        case (.maximum(let columnMajor), .int8):
            windows.maximum(x.elements(Int8.self), y.elements(), indices?.elements(), columnMajor)
        case (.maximum(let columnMajor), _):
            windows.maximum(x.elements(UInt8.self), y.elements(), indices?.elements(), columnMajor)
        case (.average(let countsPadding), _):
            windows.average(x.elements(Double.self), y.elements(), countsPadding)
        case (.norm(let p), .float32): windows.norm(x.elements(Float.self), y.elements(), p)
        case (.norm(let p), _): windows.norm(x.elements(Double.self), y.elements(), p)
        }
    }

    /// Maximum and average stay in the layout of their input; index output and norms are plain.
    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4,
            outputs.count < 2 || outputs[1] == nil
        else { return nil }
        if case .norm = kind { return nil }
        return LayoutChoice(inputs: [x.layout], outputs: [x.layout])
    }
}
