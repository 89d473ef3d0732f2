import CKernels
import GraphIR
import TensorCore

/// ONNX FeatureVectorizer (ai.onnx.ml 1): the inputs `[N, C]` (or `[C]`: one row) side by side as float32, each cut or
/// filled up with zeros to its entry of `inputdimensions`.
struct FeatureVectorizer: Operator {
    static let elementTypes: [DType] = DType.tabular
    /// Empty: the inputs' own widths.
    private let widths: [Int]

    init(_ node: NodeReader) throws(SardonyxError) {
        widths = try node.ints("inputdimensions") ?? []
        guard widths.isEmpty || widths.count == node.inputCount, widths.allSatisfy({ $0 >= 0 }),
            CheckedSize.sum(widths) ?? .max <= CheckedSize.maximumElements
        else {
            throw node.error(
                .value, "attribute inputdimensions", got: "\(widths.prefix(8))",
                allowed: "a width for each of \(node.inputCount) inputs")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        var (rows, width) = (Dim.unknown, Int?.some(0))
        for index in context.inputs.indices {
            try context.requireDType(index, DType.tabular, "input \(index)")
            try context.requireRank(index, 1...2, "input \(index)")
            let dims = try context.shape(index)?.dims
            let own = dims.map { $0.count == 2 ? $0[0] : .known(1) } ?? .unknown
            if let known = rows.value, let other = own.value, known != other {
                throw context.error(.shape, "rows of input \(index)", got: "\(other)", allowed: "\(known)")
            }
            if own.value != nil || index == 0 { rows = own }
            let columns = widths.isEmpty ? dims?.last?.value : widths[index]
            width = width.flatMap { sum in columns.flatMap { CheckedSize.sum(sum, $0) } }
        }
        return [Inferred(.float32, [rows, width.map(Dim.known) ?? .unknown])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        var parts: [(view: TensorView, rows: Int, columns: Int, width: Int)] = []
        for index in context.inputs.indices {
            let view = try context.input(index)
            let columns = view.shape[view.shape.rank - 1]
            parts.append(
                (view, view.shape.rank == 2 ? view.shape[0] : 1, columns, widths.isEmpty ? columns : widths[index]))
        }
        let rows = parts.first?.rows ?? 0
        guard parts.allSatisfy({ $0.rows == rows }), let width = CheckedSize.sum(parts.map(\.width)) else {
            throw context.error(.shape, "rows of the inputs", got: "\(parts.map(\.rows))", allowed: "equal numbers")
        }
        let output = try context.output(0, dtype: .float32, shape: try context.shape(of: [rows, width]))
        output.elements(Float.self).update(repeating: 0)
        var start = 0
        for part in parts {
            guard let type = part.view.dtype.kernelType else { continue }
            for row in 0..<rows where part.columns > 0 {
                if row % 1024 == 0 { try context.interruption?.check() }
                sx_cast(
                    type, SX_TYPE_FLOAT32, part.view.pointer + row * part.columns * part.view.dtype.byteSize,
                    output.floats + row * width + start, Int64(min(part.columns, part.width)), 1)
            }
            start += part.width
        }
    }
}
