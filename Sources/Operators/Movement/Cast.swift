import GraphIR
import TensorCore

/// ONNX Cast (1-28) and CastLike (15-25): elements converted to another type, given or that of input 1.
struct Cast: Operator {
    private var target: DType?
    private let isLike: Bool
    private let saturate: Bool
    private let rounding: ScaleFloat.Rounding

    init(_ node: NodeReader) throws(SardonyxError) {
        saturate = try node.bool("saturate", default: true)
        rounding = try node.choice("round_mode", default: .up)
        isLike = node.node.opType == "CastLike"
        if isLike {
            target = nil
        } else if node.opset < 6 {
            target = try Self.named(try node.required("to", try node.string("to")), node)
        } else {
            target = try node.required("to", try node.dtype("to"))
        }
    }

    /// Version 1 names the type as `TensorProto.DataType` does.
    private static func named(_ name: String, _ node: NodeReader) throws(SardonyxError) -> DType {
        let lower = name.lowercased()
        let alias = ["float": "float32", "double": "float64"][lower] ?? lower
        guard let dtype = DType.allCases.first(where: { $0.description == alias }) else {
            throw node.error(
                .unsupported, "attribute to", got: "'\(Name(name))'", allowed: "a name of TensorProto.DataType")
        }
        return dtype
    }

    private func target(or like: () throws(SardonyxError) -> DType) throws(SardonyxError) -> DType {
        if let target { return target }
        return try like()
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let from = try context.dtype(0)
        let to = try target(or: { () throws(SardonyxError) in try context.dtype(1) })
        if from != to { _ = try ElementCast(from: from, to: to, at: context) }
        // Wide enough to hold every extent: narrower types could wrap.
        let content = to == .int64 || to == .int32 || to == .uint64 || to == from ? try context.content(0) : nil
        return [Inferred.following(to, try context.shape(0), content)]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        if isLike, context.hasInput(1) { target = try context.input(1).dtype }
    }

    /// Of input 1 only the type is read.
    var preparedInputs: [Int] { isLike && target != nil ? [1] : [] }

    func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation {
        inputs.first??.dtype == outputs.first??.dtype ? .view(input: 0) : .separate
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let to = try target(or: { () throws(SardonyxError) in try context.input(1).dtype })
        let output = try context.output(0, dtype: to, shape: input.shape)
        guard input.dtype != output.dtype else { return try input.copyElements(to: output, threads: context.threads) }
        let cast = try ElementCast(
            from: input.dtype, to: output.dtype, saturate: saturate, rounding: rounding, at: context)
        try context.placing { () throws(SardonyxError) in
            try cast.run(from: input.pointer, to: output.pointer, count: input.elementCount, threads: context.threads)
        }
    }
}
