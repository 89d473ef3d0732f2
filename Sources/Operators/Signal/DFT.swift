import GraphIR
import TensorCore

/// ONNX DFT (17, 20): the discrete Fourier transform of x `[batch, …, 1 or 2]` along one axis, to `[batch, …, 2]`;
/// one-sided spectra of real signals and, inverted, real signals `[batch, …, 1]` of them.
struct DFT: PlannedOperator {
    static let elementTypes: [DType] = DType.floating
    struct Plan: Sendable {
        let axis: Int
        let transforms: FourierTransforms
        let output: Shape
    }

    private let inverts: Bool
    private let isOneSided: Bool
    /// The attribute of opset 17; an input since 20.
    private let axisAttribute: Int?
    var plan: Plan?

    init(_ node: NodeReader) throws(SardonyxError) {
        inverts = try node.bool("inverse", default: false)
        isOneSided = try node.bool("onesided", default: false)
        axisAttribute = node.opset < 20 ? try node.int("axis", default: 1) : nil
    }

    var parameterInputs: [Int] { axisAttribute == nil ? [1, 2] : [1] }

    private var toReal: Bool { inverts && isOneSided }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 2...64, "input")
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0) else { return [Inferred(dtype, nil)] }
        var dims = x.dims
        if let components = dims[dims.count - 1].value, components != 1 && components != 2 {
            throw context.error(.shape, "input", got: "\(x)", allowed: "1 or 2 on the last axis")
        }
        dims[dims.count - 1] = .known(toReal ? 1 : 2)
        let axis = context.hasInput(2) && axisAttribute == nil ? try context.integers(2)?.first : axisAttribute ?? -2
        guard let axis else {
            let open = [Dim](repeating: .unknown, count: dims.count - 1)
            return [Inferred(dtype, SymbolicShape(open + dims.suffix(1)))]
        }
        let place = try signalAxis(axis, rank: dims.count, at: context)
        let length = context.hasInput(1) ? try context.integers(1)?.first : defaultLength(of: dims[place].value)
        dims[place] = length.map { .known(bins(of: max($0, 0))) } ?? .unknown
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    /// The length of the transform when none is given.
    private func defaultLength(of extent: Int?) -> Int? { extent.map { toReal ? 2 * ($0 - 1) : $0 } }

    private func bins(of length: Int) -> Int { isOneSided && !inverts ? length / 2 + 1 : length }

    private func signalAxis(_ axis: Int, rank: Int, at place: some NodePlace) throws(SardonyxError) -> Int {
        let result = try place.axis(axis, rank: rank)
        guard result < rank - 1 else {
            throw place.error(.shape, "axis", got: "\(axis)", allowed: "not the last one, of components", hint: nil)
        }
        return result
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> Plan {
        let x = try operands.operand(0)
        let given = axisAttribute == nil ? try operands.integers(2)?.first : axisAttribute
        let axis = try signalAxis(given ?? -2, rank: x.shape.rank, at: operands)
        let length = try operands.integers(1)?.first ?? defaultLength(of: x.shape[axis]) ?? 0
        var dims = x.shape.dims
        let transforms = try FourierTransforms(
            length, x.dtype, components: x.shape[x.shape.rank - 1], for: operands)
        dims[axis] = bins(of: length)
        dims[dims.count - 1] = toReal ? 1 : 2
        return Plan(axis: axis, transforms: transforms, output: try operands.shape(of: dims))
    }

    func run(_ plan: Plan, _ context: RunContext) throws(SardonyxError) {
        let x = try context.input(0)
        let y = try context.output(0, dtype: x.dtype, shape: plan.output)
        switch (plan.transforms, y.dtype) {
        case (.float64(let transform), .float64): try run(Double.self, transform, plan, x, y, context)
        case (.float64(let transform), _): try run(Float.self, transform, plan, x, y, context)
        case (.float32(let transform), _): try run(Float.self, transform, plan, x, y, context)
        }
    }

    private func run<T: Number & BinaryFloatingPoint, W: Number & BinaryFloatingPoint>(
        _ type: T.Type, _ transform: FourierTransform<W>, _ plan: Plan, _ x: TensorView, _ y: TensorView,
        _ context: RunContext
    ) throws(SardonyxError) {
        let axis = plan.axis
        let work = try context.working(W.self, count: transform.lineCount)
        let rank = x.shape.rank
        let outer = x.shape.dims[..<axis].reduce(1, *)
        let inner = x.shape.dims[(axis + 1)..<(rank - 1)].reduce(1, *)
        let (from, to) = (x.shape[rank - 1], y.shape[rank - 1])
        let direction: FourierDirection = toReal ? .inverseReal : inverts ? .inverse : .forward
        for o in 0..<outer {
            try context.interruption?.check()
            for i in 0..<inner {
                transform.run(
                    FourierLine(
                        pointer: x.typed(T.self) + (o * x.shape[axis] * inner + i) * from, count: x.shape[axis],
                        stride: inner * from, components: from),
                    direction,
                    into: FourierLine(
                        pointer: y.typed(T.self) + (o * y.shape[axis] * inner + i) * to, count: y.shape[axis],
                        stride: inner * to, components: to), work.pointer.assumingMemoryBound(to: W.self))
            }
        }
        withExtendedLifetime(work) {}
    }
}

extension RunContext {
    /// Working memory of a run whose size the plan did not know.
    /// - Parameter count: elements; `nil` when they overflow.
    /// - Throws: `limit` when the budget does not allow it.
    func working<T>(_ type: T.Type, count: Int?) throws(SardonyxError) -> Buffer {
        let bytes = count.flatMap { CheckedSize.product($0, MemoryLayout<T>.stride) }
        try budget.check(bytes ?? .max, for: label)
        return try Buffer(byteCount: bytes ?? 0)
    }
}
