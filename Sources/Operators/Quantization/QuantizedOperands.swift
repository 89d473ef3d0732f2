import GraphIR
import TensorCore

/// Where an operator on quantized matrices has its inputs; `nil`: it has none such.
struct QuantizedOperands: Sendable {
    var a: Int
    var aScale: Int?
    var aZero: Int?
    var b: Int
    var bScale: Int?
    var bZero: Int?
    var bias: Int?
    var yScale: Int?
    var yZero: Int?
    /// A is float32 and quantized by each run.
    var quantizesA = false
    /// ONNX QLinearMatMul: scales of any floating-point type, and also elements of float8.
    var allowsFloat8 = false
    /// Of two axes: QGemm.
    var isPlanar = false

    static let matMulInteger = QuantizedOperands(a: 0, aZero: 2, b: 1, bZero: 3)
    static let qLinearMatMul = QuantizedOperands(
        a: 0, aScale: 1, aZero: 2, b: 3, bScale: 4, bZero: 5, yScale: 6, yZero: 7, allowsFloat8: true)
    static let matMulIntegerToFloat = QuantizedOperands(a: 0, aScale: 2, aZero: 4, b: 1, bScale: 3, bZero: 5, bias: 6)
    static let dynamicQuantizeMatMul = QuantizedOperands(a: 0, b: 1, bScale: 2, bZero: 3, bias: 4, quantizesA: true)
    static let qGemm = QuantizedOperands(
        a: 0, aScale: 1, aZero: 2, b: 3, bScale: 4, bZero: 5, bias: 6, yScale: 7, yZero: 8, isPlanar: true)
}

/// A scale or zero point of a matrix operand: one element, one a row (of a) or column (of b), or those of every matrix
/// of a batch.
struct MatrixParameter: Sendable {
    /// Axes of the batch that it has a part for.
    let batch: Shape
    /// Elements of a matrix: 1 or the rows (columns).
    let count: Int

    static let single = MatrixParameter(batch: .scalar, count: 1)

    var step: Int { count == 1 ? 0 : 1 }

    private init(batch: Shape, count: Int) {
        self.batch = batch
        self.count = count
    }

    /// - Parameters:
    ///   - extent: the rows of a, or the columns of b.
    ///   - ofRows: whether one axis of 1 follows the rows, `[…, M, 1]`, or stands before the columns, `[…, 1, N]`.
    /// - Throws: `shape` when the parameter is not of these forms.
    init(_ shape: Shape, extent: Int, ofRows: Bool, batch: Shape, _ role: String, at place: some NodePlace)
        throws(SardonyxError)
    {
        if shape.elementCount == 1 {
            self = .single
            return
        }
        func fault() -> SardonyxError {
            place.error(
                .shape, role, got: "\(shape)",
                allowed: "1 element, [\(extent)]" + (ofRows ? " or […, \(extent), 1]" : " or […, 1, \(extent)]"),
                hint: nil)
        }
        if shape.rank == 1 {
            guard shape[0] == extent else { throw fault() }
            self.init(batch: .scalar, count: extent)
            return
        }
        guard shape.rank >= 2 else { throw fault() }
        let (rows, columns) = (shape[shape.rank - 2], shape[shape.rank - 1])
        let (own, other) = ofRows ? (rows, columns) : (columns, rows)
        let outer = try place.shape(of: Array(shape.dims.dropLast(2)))
        guard own == extent || own == 1, other == 1, try Broadcast.shape([outer, batch], at: place) == batch else {
            throw fault()
        }
        self.init(batch: outer, count: own)
    }
}

/// Element offsets of operands that broadcast over the products of a batch.
struct BatchOffsets: Sendable {
    private let dims: [Int]

    init(_ batch: Shape) { dims = batch.dims }

    /// Where the part of product `index` begins in an operand whose parts, one for each index of the shape `own`, are
    /// `size` elements apart.
    func offset(_ index: Int, in own: Shape, size: Int) -> Int {
        var (rest, offset, stride) = (index, 0, size)
        for axis in dims.indices.reversed() {
            let position = rest % dims[axis]
            rest /= dims[axis]
            let mine = axis + own.rank - dims.count
            guard mine >= 0 else { continue }
            if own[mine] != 1 { offset += position * stride }
            stride *= own[mine]
        }
        return offset
    }
}
