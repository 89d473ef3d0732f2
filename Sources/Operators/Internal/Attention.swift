import CKernels
import GraphIR
import TensorCore

/// `sardonyx.Attention`: y = softmax(scale Q Kᵀ) V along the last axis, for each batch B and head H. Q `[B, H, M, D]`,
/// K `[B, H, L, D]`, V `[B, H, L, E]` are views of plain float32 inputs 0 to 2, y `[B, H, M, E]` one of the output.
///
/// `extents`: B, H, M, L, D, E. `q_view` … `y_view`: an offset and four strides in elements; of Q, V and y the last is
/// 1, of K one of the last two. `shape`: the output's. Made by the attention pass only.
///
/// Unchecked, because the kernel's arguments hold pointers; between runs none is set.
struct Attention: Operator, @unchecked Sendable {
    private let extents: [Int]
    private let shape: [Int]
    private let scale: Float
    /// Of Q, K, V and y: the offset and the strides.
    private let views: [[Int]]
    /// The form for the kernel; pointers are filled in by `run`.
    private var arguments = sx_attention_args()
    private(set) var scratchByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        extents = try node.required("extents", try node.ints("extents"))
        shape = try node.required("shape", try node.ints("shape"))
        scale = try node.float("scale", default: 1)
        var views: [[Int]] = []
        for name in ["q_view", "k_view", "v_view", "y_view"] {
            views.append(try node.required(name, try node.ints(name)))
        }
        self.views = views
        guard extents.count == 6, extents.allSatisfy({ $0 > 0 }), views.allSatisfy({ $0.count == 5 }),
            views.joined().allSatisfy({ $0 >= 0 }), views[1].suffix(2).contains(1),
            [0, 2, 3].allSatisfy({ views[$0][4] == 1 })
        else {
            throw node.error(
                .internal, "attribute extents or views", got: "\(extents), \(views)", allowed: nil, hint: nil)
        }
        setArguments()
    }

    /// The extents that a view walks: those of Q, K, V and y in turn.
    private func walked(_ view: Int) -> [Int] {
        let rows = view == 1 || view == 2 ? 3 : 2
        return [extents[0], extents[1], extents[rows], extents[view < 2 ? 4 : 5]]
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for input in 0..<3 { try context.requireDType(input, [.float32], "input \(input)") }
        return [Inferred(.float32, SymbolicShape(try context.shape(of: shape)))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let operands = [
            try context.input(0), try context.input(1), try context.input(2), try context.output(0),
        ]
        for (index, operand) in operands.enumerated() {
            var last: Int? = views[index][0]
            for (extent, stride) in zip(walked(index), views[index].dropFirst()) {
                let reach = CheckedSize.product(extent - 1, stride)
                last = last.flatMap { last in reach.flatMap { CheckedSize.sum(last, $0) } }
            }
            guard let last, last < operand.shape.elementCount else {
                throw context.error(
                    .internal, "view \(index)", got: "\(views[index])", allowed: "inside \(operand.shape)", hint: nil)
            }
        }
        let bytes = Int(sx_attention_scratch_bytes(&arguments, Int32(context.threads)))
        guard bytes >= 0 else {
            throw context.error(.limit, "scratch", got: "\(extents)", allowed: "less than 2^63 bytes", hint: nil)
        }
        scratchByteCount = bytes
    }

    private mutating func setArguments() {
        func view(_ index: Int) -> sx_attention_view {
            let strides = views[index].map(Int64.init)
            return sx_attention_view(
                batch_stride: strides[1], head_stride: strides[2], row_stride: strides[3], column_stride: strides[4])
        }
        arguments.batch = Int64(extents[0])
        arguments.heads = Int64(extents[1])
        arguments.rows = Int64(extents[2])
        arguments.keys = Int64(extents[3])
        arguments.depth = Int64(extents[4])
        arguments.columns = Int64(extents[5])
        arguments.scale = scale
        (arguments.q_view, arguments.k_view) = (view(0), view(1))
        (arguments.v_view, arguments.y_view) = (view(2), view(3))
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        var arguments = arguments
        arguments.q = UnsafePointer(try context.input(0).floats + views[0][0])
        arguments.k = UnsafePointer(try context.input(1).floats + views[1][0])
        arguments.v = UnsafePointer(try context.input(2).floats + views[2][0])
        arguments.y = try context.output(0).floats + views[3][0]
        sx_attention(&arguments, context.scratch, Int32(context.threads))
    }

    func multiplyAccumulates(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Int {
        guard let scores = CheckedSize.product(extents.prefix(4)) else { return .max }
        return CheckedSize.sum(extents[4], extents[5]).flatMap { CheckedSize.product(scores, $0) } ?? .max
    }
}
