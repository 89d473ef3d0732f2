import CKernels
import GraphIR
import TensorCore

/// `sardonyx.Reorder`: the same float32 image batch `[N, C, …]` in another memory layout (`layout`: `blocked16` or
/// `plain`). Made by layout propagation only.
struct Reorder: Operator {
    static let elementTypes: [DType] = [.float32]
    private let target: Layout
    private var source = Layout.plain
    private var storedByteCount = 0

    init(_ node: NodeReader) throws(SardonyxError) {
        switch try node.required("layout", try node.string("layout")) {
        case "blocked16": target = .blocked16
        case "plain": target = .plain
        case let other:
            throw node.error(.internal, "attribute layout", got: "'\(other)'", allowed: "'blocked16', 'plain'")
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        return [Inferred(.float32, try context.shape(0))]
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        source = try context.input(0).layout
        storedByteCount = try context.input(0).storedByteCount()
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        guard x.elementCount > 0 else { return }
        guard source != target else { return y.pointer.copyMemory(from: x.pointer, byteCount: storedByteCount) }
        let (n, c) = (x.shape[0], x.shape[1])
        sx_reorder(
            source.kernelLayout, target.kernelLayout, Int64(n), Int64(c), Int64(x.elementCount / (n * c)), x.floats,
            y.floats, Int32(context.threads))
    }

    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        LayoutChoice(inputs: [inputs.first??.layout ?? .plain], outputs: [target])
    }
}
