import CKernels
import GraphIR
import TensorCore

/// Products of 8-bit matrices with exact int32 sums: ONNX MatMulInteger (10) and QLinearMatMul (10, 21), com.microsoft
/// MatMulIntegerToFloat, DynamicQuantizeMatMul and QGemm.
///
/// a `[…, M, K]` has a scale and zero point for the tensor or each row, b `[…, K, N]` for the tensor or each column.
/// y is int32 without scales, float32 with scales of a and b only, else saturate(round(product / scale of y) + zero).
///
/// Unchecked, because the kernel's arguments hold pointers: the only one that is set between runs is to packed weights.
struct QuantizedMatMul: Operator, @unchecked Sendable {
    private let operands: QuantizedOperands
    private let transposesA, transposesB: Bool
    /// For element types that have no 8-bit product.
    private var dequantized: DequantizedOperator?
    private var arguments = sx_qgemm_args()
    private var packed: Buffer?
    private(set) var preparedInputs: [Int] = []
    private var regions = ScratchRegions()
    private var quantizedA = 0, partial = 0
    private var batch = Shape.scalar, batchA = Shape.scalar, batchB = Shape.scalar
    private var aZero = MatrixParameter.single, bZero = MatrixParameter.single
    private var scales: ProductScales

    init(_ operands: QuantizedOperands, _ node: NodeReader) throws(SardonyxError) {
        self.operands = operands
        transposesA = operands.isPlanar ? try node.bool("transA", default: false) : false
        transposesB = operands.isPlanar ? try node.bool("transB", default: false) : false
        scales = ProductScales(operands, alpha: operands.isPlanar ? try node.float("alpha", default: 1) : 1)
    }

    init(_ node: NodeReader) throws(SardonyxError) {
        throw node.error(.internal, "a quantized product needs to know its operands")
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let scales: [DType] = [.float32, .float16, .bfloat16]
        let given = try context.dtype(operands.a)
        let isFloat8 = operands.allowsFloat8 && DType.float8.contains(given)
        let types = isFloat8 ? DType.float8 : DType.bytes
        try context.requireDType(operands.a, operands.quantizesA ? [.float32] : types, "a")
        try context.requireDType(operands.b, types, "b")
        for (zero, of) in [(operands.aZero, operands.a), (operands.bZero, operands.b)] {
            guard let zero, context.hasInput(zero) else { continue }
            try context.requireDType(zero, [try context.dtype(of)], "zero point")
        }
        for scale in [operands.aScale, operands.bScale, operands.yScale] {
            guard let scale, !operands.isPlanar || scale != operands.yScale || context.hasInput(scale) else { continue }
            try context.requireDType(scale, operands.allowsFloat8 ? scales : [.float32], "scale")
        }
        for index in [operands.yScale, operands.yZero] {
            guard let index, context.hasInput(index), let dims = try context.shape(index)?.knownDims else { continue }
            guard CheckedSize.product(dims) == 1 else {
                throw context.error(.shape, "input \(index)", got: "\(dims)", allowed: "1 element")
            }
        }
        var dtype: DType = operands.bScale == nil ? .int32 : .float32
        if let yZero = operands.yZero, context.hasInput(yZero) {
            try context.requireDType(yZero, types, "zero point of y")
            dtype = try context.dtype(yZero)
        } else if let yScale = operands.yScale, context.hasInput(yScale) {
            throw context.error(.graph, "the zero point of y is missing")
        }
        if let bias = operands.bias, context.hasInput(bias) {
            try context.requireDType(bias, [operands.yScale == nil ? .float32 : .int32], "bias")
        }
        guard let a = try shape(operands.a, transposesA, context), let b = try shape(operands.b, transposesB, context)
        else { return [Inferred(dtype, nil)] }
        return [Inferred(dtype, try MatMul.outputShape(a, b, at: context))]
    }

    /// The shape of a matrix operand, of which a transposed one has two axes.
    private func shape(
        _ index: Int, _ isTransposed: Bool, _ context: InferContext
    ) throws(SardonyxError) -> SymbolicShape? {
        if operands.isPlanar { try context.requireRank(index, 2...2, "matrix") }
        guard let shape = try context.shape(index) else { return nil }
        return isTransposed ? SymbolicShape(shape.dims.reversed()) : shape
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (a, b) = (try context.input(operands.a), try context.input(operands.b))
        if DType.float8.contains(a.dtype) {
            var product = try DequantizedOperator(
                "MatMul", opset: 13, .matMul, NodeReader(context.node, opset: OperatorTable.newestOpset))
            try product.prepare(context)
            return dequantized = product
        }
        let (m, n) = try setExtents(a.shape, b.shape, context)
        scales.a = try parameter(operands.aScale, m, ofRows: true, "scale of a", context)
        aZero = try parameter(operands.aZero, m, ofRows: true, "zero point of a", context)
        scales.b = try parameter(operands.bScale, n, ofRows: false, "scale of b", context)
        bZero = try parameter(operands.bZero, n, ofRows: false, "zero point of b", context)
        if batchB.elementCount == 1, batchA == batch, !transposesA, aZero.count == 1,
            scales.a.count == 1, aZero.batch.elementCount == 1, bZero.batch.elementCount == 1, !scales.varyInBatch
        {
            // One B for all: the batches of A are rows of one tall matrix.
            arguments.m *= Int64(batch.elementCount)
            (batch, batchA, batchB) = (.scalar, .scalar, .scalar)
        }
        try setBias(context)
        regions = ScratchRegions()
        _ = try regions.add(Int(sx_qgemm_scratch_bytes(&arguments, Int32(context.threads))), at: context)
        try scales.reserve(&regions, at: context)
        if operands.quantizesA {
            quantizedA = try regions.add(a.shape.elementCount, at: context)
            partial = try regions.add(DynamicQuantizer.scratchByteCount(elements: a.shape.elementCount), at: context)
        }
        try packB(context)
    }

    /// The extents and strides of a, b and c; returns the rows and columns of a single product.
    private mutating func setExtents(
        _ a: Shape, _ b: Shape, _ context: PrepareContext
    ) throws(SardonyxError) -> (m: Int, n: Int) {
        let rowsA = a.rank > 1 ? a[a.rank - 2] : 1
        let columnsB = b.rank > 1 ? b[b.rank - 1] : 1
        let (m, k) = transposesA ? (a[1], a[0]) : (rowsA, a[a.rank - 1])
        let n = transposesB ? b[0] : columnsB
        batchA = try context.shape(of: Array(a.dims.dropLast(2)))
        batchB = try context.shape(of: Array(b.dims.dropLast(2)))
        batch = try Broadcast.shape([batchA, batchB], at: context)
        arguments = sx_qgemm_args()
        (arguments.m, arguments.n, arguments.k) = (Int64(m), Int64(n), Int64(k))
        (arguments.images, arguments.groups) = (1, 1)
        arguments.a.row_stride = Int64(transposesA ? 1 : k)
        arguments.a.column_stride = Int64(transposesA ? m : 1)
        arguments.b.row_stride = Int64(transposesB ? 1 : n)
        arguments.b.column_stride = Int64(transposesB ? k : 1)
        (arguments.c_row, arguments.c_column) = (Int64(n), 1)
        return (m, n)
    }

    private func parameter(
        _ index: Int?, _ extent: Int, ofRows: Bool, _ role: String, _ context: PrepareContext
    ) throws(SardonyxError) -> MatrixParameter {
        guard let index, context.hasInput(index) else { return .single }
        return try MatrixParameter(
            try context.input(index).shape, extent: extent, ofRows: ofRows, batch: batch, role, at: context)
    }

    /// A bias of int32 is added to the sums and broadcasts to `[M, N]`; one of float32 is `[N]`.
    private mutating func setBias(_ context: PrepareContext) throws(SardonyxError) {
        guard let index = operands.bias, context.hasInput(index) else { return }
        let bias = try context.input(index)
        let (m, n) = (Int(arguments.m), Int(arguments.n))
        if bias.dtype == .float32 {
            guard bias.shape.elementCount == n else {
                throw context.error(.shape, "bias", got: "\(bias.shape)", allowed: "[\(n)]")
            }
            return
        }
        let target = try context.shape(of: [m, n])
        guard bias.shape.rank <= 2, try Broadcast.shape([bias.shape, target], at: context) == target else {
            throw context.error(.shape, "C", got: "\(bias.shape)", allowed: "what broadcasts to \(target)")
        }
        let strides = Broadcast.strides(of: bias.shape, in: target)
        (arguments.bias_row, arguments.bias_column) = (Int64(strides[0]), Int64(strides[1]))
    }

    /// Packs a constant b with a constant zero point.
    private mutating func packB(_ context: PrepareContext) throws(SardonyxError) {
        let zero = operands.bZero.flatMap { context.hasInput($0) ? $0 : nil }
        let (k, n) = (arguments.k, arguments.n)
        guard batchB.elementCount == 1, bZero.batch.elementCount == 1, k > 0, n > 0,
            let weights = context.constant(operands.b), zero == nil || context.constant(zero ?? 0) != nil
        else { return }
        let bytes = Int(sx_qgemm_packed_b_bytes(k, n))
        guard bytes >= 0 else { throw context.error(.limit, "packed weights overflow") }
        let companion = zero.flatMap { context.constant($0) }
        let (form, step) = (arguments.b, bZero.step)
        packed = try context.weights.packed(weights, with: companion, "qgemm b \(k) \(n) \(transposesB)") {
            (tensor) throws(SardonyxError) in
            let buffer = try Buffer(byteCount: bytes)
            let zeroTensor = try companion?.tensor()
            var matrix = form
            matrix.elements = tensor.pointer
            matrix.is_signed = tensor.dtype == .int8
            matrix.zero = zeroTensor.map { UnsafeRawPointer($0.pointer) }
            matrix.zero_step = Int64(step)
            sx_qgemm_pack_b(k, n, &matrix, buffer.pointer, Int32(context.threads))
            withExtendedLifetime((tensor, zeroTensor)) {}
            return buffer
        }
        arguments.packed_b = packed.map { UnsafeRawPointer($0.pointer) }
        preparedInputs = [operands.b] + (zero.map { [$0] } ?? [])
    }

    var scratchByteCount: Int { dequantized?.scratchByteCount ?? regions.byteCount }

    func run(_ context: RunContext) throws(SardonyxError) {
        if let dequantized { return try dequantized.run(context) }
        let y = try context.output(0)
        guard let scratch = context.scratch, y.elementCount > 0 else { return }
        var g = arguments
        switch y.dtype {
        case .int32: g.output = SX_QGEMM_SUMS
        case .float32: g.output = SX_QGEMM_FLOATS
        case .int8: g.output = SX_QGEMM_INT8
        default: g.output = SX_QGEMM_UINT8
        }
        var dynamicZero: UInt8 = 0
        var dynamicScale: Float?
        var a = try context.input(operands.a)
        if operands.quantizesA {
            let quantizer = DynamicQuantizer(a.floats, count: a.elementCount, scratch + partial, context)
            a = TensorView(dtype: .uint8, shape: a.shape, pointer: scratch + quantizedA)
            quantizer.quantize(to: a.pointer)
            (dynamicZero, dynamicScale) = (quantizer.zero, quantizer.scale)
        }
        g.a.is_signed = a.dtype == .int8
        g.a.zero_step = Int64(aZero.step)
        if g.packed_b == nil {
            g.b.is_signed = try context.input(operands.b).dtype == .int8
            g.b.zero_step = Int64(bZero.step)
        }
        try scales.set(&g, dynamicScale, context)
        if let yZero = operands.yZero, context.hasInput(yZero) {
            let bytes = try context.input(yZero).typed(UInt8.self)
            g.zero = y.dtype == .int8 ? Int32(Int8(bitPattern: bytes[0])) : Int32(bytes[0])
        }
        if let bias = operands.bias, context.hasInput(bias) {
            if operands.yScale == nil {
                g.float_bias = UnsafePointer(try context.input(bias).floats)
            } else {
                g.bias = UnsafePointer(try context.input(bias).typed(Int32.self))
            }
        }
        try withUnsafePointer(to: &dynamicZero) { (zero) throws(SardonyxError) in
            try multiply(g, a, operands.quantizesA ? UnsafeRawPointer(zero) : nil, y, context)
        }
    }

    /// The products of the batch, one after the other.
    private func multiply(
        _ arguments: sx_qgemm_args, _ a: TensorView, _ dynamicZero: UnsafeRawPointer?, _ y: TensorView,
        _ context: RunContext
    ) throws(SardonyxError) {
        var g = arguments
        let (m, n, k) = (Int(g.m), Int(g.n), Int(g.k))
        func pointer(_ index: Int?) throws(SardonyxError) -> UnsafeRawPointer? {
            guard let index, !preparedInputs.contains(index), context.hasInput(index) else { return nil }
            return UnsafeRawPointer(try context.input(index).pointer)
        }
        let (aZeros, bZeros) = (try pointer(operands.aZero), try pointer(operands.bZero))
        let b = try pointer(operands.b)
        let offsets = BatchOffsets(batch)
        let elementSize = y.dtype.byteSize
        for index in 0..<batch.elementCount {
            func part(_ parameter: MatrixParameter) -> Int {
                offsets.offset(index, in: parameter.batch, size: parameter.count)
            }
            g.a.elements = UnsafeRawPointer(a.pointer) + offsets.offset(index, in: batchA, size: m * k)
            g.a.zero = dynamicZero ?? aZeros.map { $0 + part(aZero) }
            g.b.elements = b.map { $0 + offsets.offset(index, in: batchB, size: k * n) }
            g.b.zero = bZeros.map { $0 + part(bZero) }
            g.row_scale = arguments.row_scale.map { $0 + part(scales.a) }
            g.column_scale = arguments.column_scale.map { $0 + part(scales.b) }
            g.c = y.pointer + index * m * n * elementSize
            sx_qgemm(&g, context.scratch, Int32(context.threads))
            if index % 64 == 63 { try context.interruption?.check() }
        }
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let y = outputs.first ?? nil else { return 0 }
        return CheckedSize.product(y.shape.elementCount, Int(arguments.k)) ?? .max
    }
}

extension OperatorEntry {
    /// An 8-bit product, by default of com.microsoft.
    static func product(
        _ name: String, _ versions: ClosedRange<Int>, domain: String = Domains.microsoft,
        _ operands: QuantizedOperands
    ) -> OperatorEntry {
        let types = operands.quantizesA ? [.float32] : DType.bytes + (operands.allowsFloat8 ? DType.float8 : [])
        return row(name, versions, QuantizedMatMul.self, domain: domain, types: types) { (node) throws(SardonyxError) in
            try QuantizedMatMul(operands, node)
        }
    }
}
