import GraphIR
import TensorCore

/// Every elementwise ONNX operator of two numeric inputs: y = f(a, b) with multidirectional broadcasting; before
/// opset 7, b only is stretched, from the attribute `axis` on.
struct Binary: Operator {
    let function: BinaryFunction
    private let legacyAxis: Int?
    private let opset: Int
    private var loop: BinaryLoop?

    init(_ function: BinaryFunction, _ node: NodeReader) throws(SardonyxError) {
        self.function = function
        self.opset = node.opset
        legacyAxis = node.opset < 7 ? try node.int("axis") : nil
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "a binary operator needs its function")
    }

    /// ONNX Mod (10, 13, 28).
    static func modulo(_ node: NodeReader) throws(SardonyxError) -> BinaryFunction {
        try node.bool("fmod", default: false) ? .truncatedModulo : .floorModulo
    }

    /// b with axes of extent 1 behind it, so that it is aligned with `a` from the legacy axis on.
    private func aligned<Extent>(_ b: [Extent], rank: Int, one: Extent, channels: Extent?) -> [Extent]
    where Extent: Equatable {
        if function == .prelu, opset < 7, b.count == 1, rank > 1, b[0] != one, b[0] == channels {
            return b + [Extent](repeating: one, count: rank - 2)
        }
        guard let legacyAxis else { return b }
        let first = legacyAxis < 0 ? legacyAxis + rank : legacyAxis
        return b + [Extent](repeating: one, count: max(0, min(rank, rank - first - b.count)))
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        if function == .power {
            try context.requireDType(1, DType.numeric, "exponent")
        } else {
            try context.requireDType(1, [dtype], "second input")
        }
        let a = try context.shape(0)
        var b = try context.shape(1)
        if let a, let dims = b?.dims {
            if let legacyAxis, !(-a.rank...a.rank).contains(legacyAxis) {
                throw context.error(
                    .shape, "attribute axis", got: "\(legacyAxis)", allowed: "\(-a.rank) to \(a.rank)", hint: nil)
            }
            b = SymbolicShape(aligned(dims, rank: a.rank, one: .known(1), channels: a.rank > 1 ? a.dims[1] : nil))
        }
        return [Inferred(dtype, try Broadcast.shape([a, b], at: context), content: try content(context, dtype))]
    }

    /// Integer arithmetic on shapes, as far as the elements are known.
    private func content(_ context: InferContext, _ dtype: DType) throws(SardonyxError) -> [Dim]? {
        guard dtype == .int64 || dtype == .int32, let a = try context.content(0), let b = try context.content(1),
            a.count == b.count || a.count == 1 || b.count == 1, max(a.count, b.count) <= 64
        else { return nil }
        return (0..<(a.count == 1 ? b.count : a.count)).map { index in
            let (x, y) = (a[a.count == 1 ? 0 : index], b[b.count == 1 ? 0 : index])
            if let x = x.value, let y = y.value {
                guard !(function.divides && y == 0) else { return .unknown }
                let value = function(Int64(x), Int64(y))
                return dtype == .int32 && Int32(exactly: value) == nil ? .unknown : .known(Int(value))
            }
            switch function {
            case .multiply, .divide:
                if y == .known(1) { return x }
                return function == .multiply && x == .known(1) ? y : .unknown
            case .add, .subtract:
                if y == .known(0) { return x }
                return function == .add && x == .known(0) ? y : .unknown
            default: return .unknown
            }
        }
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (a, b, y) = (try context.input(0), try context.input(1), try context.output(0))
        guard y.layout == .plain else {
            loop = try blockedLoop(a, b, y, context)
            return
        }
        let dims = aligned(b.shape.dims, rank: a.shape.rank, one: 1, channels: a.shape.rank > 1 ? a.shape[1] : nil)
        loop = try BinaryLoop(function, a: a.shape, b: try context.shape(of: dims), y: y.shape, at: context)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        try loop?.run(try context.input(0), try context.input(1), try context.output(0), context)
    }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input < 2 && inputs[input] == outputs.first
    }
}

/// Blocked layout: where both operands lie as y does, or one is a scalar or one value a channel.
extension Binary {
    private enum Role { case full, channel, scalar }

    private func role(_ operand: TensorInfo, in y: Shape) -> Role? {
        if operand.shape == y { return .full }
        if operand.shape.elementCount == 1 { return .scalar }
        let dims = operand.shape.dims
        guard dims.count == 3 || dims.count == 4, dims.suffix(3).elementsEqual([y[1], 1, 1]) else { return nil }
        return dims.count == 3 || dims[0] == 1 || dims[0] == y[0] ? .channel : nil
    }

    /// The layout that an operand is wanted in when y is blocked; `nil` when it cannot be.
    private func blockedLayout(_ operand: TensorInfo, in y: Shape) -> Layout? {
        let filled = y[1] % Layout.blockSize == 0
        switch role(operand, in: y) {
        case .full: return .blocked16
        case .scalar: return filled ? .plain : nil
        case .channel: return filled ? .plain : operand.shape.rank == 4 ? .blocked16 : nil
        case nil: return nil
        }
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard inputs.count == 2, let a = inputs[0], let b = inputs[1], let y = outputs.first ?? nil,
            y.dtype == .float32, y.shape.rank == 4, legacyAxis == nil, opset >= 7
        else { return nil }
        let plain = LayoutChoice(inputs: [.plain, .plain], outputs: [.plain])
        let filled = y.shape[1] % Layout.blockSize == 0
        guard [a, b].contains(where: { $0.layout == .blocked16 && $0.shape == y.shape }), filled || function.keepsZero,
            let layoutA = blockedLayout(a, in: y.shape), let layoutB = blockedLayout(b, in: y.shape)
        else { return plain }
        return LayoutChoice(inputs: [layoutA, layoutB], outputs: [.blocked16])
    }

    private func blockedLoop(
        _ a: TensorInfo, _ b: TensorInfo, _ y: TensorInfo, _ context: PrepareContext
    ) throws(SardonyxError) -> BinaryLoop {
        let (images, pixels) = (y.shape[0], y.shape[2] * y.shape[3])
        let blocks = (y.shape[1] + Layout.blockSize - 1) / Layout.blockSize
        func strides(_ operand: TensorInfo) throws(SardonyxError) -> [Int] {
            switch role(operand, in: y.shape) {
            case .full: return [blocks * pixels * Layout.blockSize, pixels * Layout.blockSize, Layout.blockSize, 1]
            case .scalar: return [0, 0, 0, 0]
            case .channel:
                let perImage = operand.shape.rank == 4 && operand.shape[0] > 1
                return [perImage ? blocks * Layout.blockSize : 0, Layout.blockSize, 0, 1]
            case nil: throw context.error(.internal, "blocked operand", got: "\(operand.shape)", allowed: "\(y.shape)")
            }
        }
        return try BinaryLoop(
            function, dims: [images, blocks, pixels, Layout.blockSize], stridesA: try strides(a),
            stridesB: try strides(b),
            at: context)
    }
}

extension OperatorEntry {
    /// A function of two numbers, from this opset on.
    static func binary(_ name: String, from version: Int, _ function: BinaryFunction) -> OperatorEntry {
        binary(name, from: version, types: function.dtypes) { (_) throws(SardonyxError) in function }
    }

    /// A function of two numbers that attributes select.
    static func binary(
        _ name: String, from version: Int, types: [DType] = DType.numeric,
        _ function: @escaping @Sendable (NodeReader) throws(SardonyxError) -> BinaryFunction
    ) -> OperatorEntry {
        row(name, version...OperatorTable.newestOpset, Binary.self, types: types) { (node) throws(SardonyxError) in
            HalfPrecision(try Binary(try function(node), node))
        }
    }
}
