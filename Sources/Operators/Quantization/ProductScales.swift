import CKernels
import TensorCore

/// The factor of each sum of a quantized product: alpha scale a x scale b / scale y, in scratch memory.
struct ProductScales: Sendable {
    var a = MatrixParameter.single
    var b = MatrixParameter.single
    private let operands: QuantizedOperands
    private let alpha: Float
    private var rows = 0
    private var columns = 0

    init(_ operands: QuantizedOperands, alpha: Float) {
        self.operands = operands
        self.alpha = alpha
    }

    private var rowCount: Int { a.batch.elementCount * a.count }
    private var columnCount: Int { b.batch.elementCount * b.count }

    /// Whether the products of a batch have scales of their own.
    var varyInBatch: Bool { a.batch.elementCount != 1 || b.batch.elementCount != 1 }

    mutating func reserve(_ regions: inout ScratchRegions, at place: some NodePlace) throws(SardonyxError) {
        rows = try regions.add(CheckedSize.product(rowCount, 4), at: place)
        columns = try regions.add(CheckedSize.product(columnCount, 4), at: place)
    }

    /// Sets the factors; where both a and b have several scales, those of rows and of columns.
    func set(_ g: inout sx_qgemm_args, _ dynamicScale: Float?, _ context: RunContext) throws(SardonyxError) {
        guard let bIndex = operands.bScale, let scratch = context.scratch else { return }
        let rows = (scratch + rows).assumingMemoryBound(to: Float.self)
        let columns = (scratch + columns).assumingMemoryBound(to: Float.self)
        if let dynamicScale {
            rows[0] = dynamicScale
        } else if let aIndex = operands.aScale {
            try context.copyFloats(aIndex, to: rows, count: rowCount)
        }
        try context.copyFloats(bIndex, to: columns, count: columnCount)
        var divisor: Float = 1
        if let index = operands.yScale, context.hasInput(index) {
            try context.copyFloats(index, to: &divisor, count: 1)
        }
        if rowCount == 1 {
            for i in 0..<columnCount { columns[i] = alpha * rows[0] * columns[i] / divisor }
        } else if columnCount == 1 {
            for i in 0..<rowCount { rows[i] = alpha * rows[i] * columns[0] / divisor }
            columns[0] = 1
        } else {
            for i in 0..<columnCount { columns[i] = alpha * columns[i] / divisor }
        }
        if rowCount > 1 {
            g.row_scale = UnsafePointer(rows)
            g.row_scale_step = Int64(a.step)
        }
        g.column_scale = UnsafePointer(columns)
        g.column_scale_step = Int64(b.step)
    }
}

extension RunContext {
    /// The first `count` elements of a floating-point input as float32.
    func copyFloats(_ index: Int, to target: UnsafeMutablePointer<Float>, count: Int) throws(SardonyxError) {
        let view = try input(index)
        guard view.elementCount >= count, let type = view.dtype.kernelType else {
            throw error(.shape, "input \(index)", got: "\(view.shape)", allowed: "\(count) elements")
        }
        sx_cast(type, SX_TYPE_FLOAT32, view.pointer, target, Int64(count), 1)
    }
}
