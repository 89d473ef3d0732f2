import GraphIR
import TensorCore

/// A digest of the contents of every constant of some graphs, bodies included: equal contents have equal digests. Without
/// contents it is that of the type.
struct ConstantDigests {
    private var digests: [ObjectIdentifier: Int] = [:]
    /// Constants whose identity is a key must stay alive.
    private var constants: [Constant] = []

    /// - Parameter progress: told how many constants have been read in all.
    mutating func read(_ graph: Graph, progress: (Int) -> Void) throws(SardonyxError) {
        for constant in graph.allConstants { try read(constant, progress) }
    }

    private mutating func read(_ constant: Constant, _ progress: (Int) -> Void) throws(SardonyxError) {
        guard digests[ObjectIdentifier(constant)] == nil else { return }
        var hasher = Hasher()
        hasher.combine(constant.type)
        if constant.fault == nil { combine(try constant.tensor(), into: &hasher) }
        digests[ObjectIdentifier(constant)] = hasher.finalize()
        constants.append(constant)
        progress(constants.count)
    }

    private func combine(_ tensor: Tensor, into hasher: inout Hasher) {
        if tensor.dtype == .string {
            for text in tensor.elements(of: String.self) { hasher.combine(text) }
        } else {
            hasher.combine(bytes: UnsafeRawBufferPointer(start: tensor.pointer, count: tensor.byteCount))
        }
        withExtendedLifetime(tensor) {}
    }

    /// Of a constant of the graphs that were read.
    subscript(constant: Constant) -> Int { digests[ObjectIdentifier(constant)] ?? 0 }

    func areEqual(_ a: Constant, _ b: Constant) -> Bool { a === b || self[a] == self[b] }

    /// Adds an attribute to a digest.
    func combine(_ attribute: Attribute, into hasher: inout Hasher) {
        switch attribute {
        case .int(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value.bitPattern)
        case .string(let bytes): hasher.combine(bytes)
        case .ints(let values): hasher.combine(values)
        case .floats(let values): hasher.combine(values.map(\.bitPattern))
        case .strings(let values): hasher.combine(values)
        case .type(let type): hasher.combine(type)
        case .types(let types): hasher.combine(types)
        case .reference(let name): hasher.combine(name)
        case .tensor, .tensors:
            for constant in attribute.constants { hasher.combine(self[constant]) }
        case .sparseTensor(let sparse): combine([sparse], into: &hasher)
        case .sparseTensors(let tensors): combine(tensors, into: &hasher)
        case .graph, .graphs:
            // What is in a body is compared node by node.
            hasher.combine(attribute.graphs.count)
        }
    }

    private func combine(_ tensors: [SparseConstant], into hasher: inout Hasher) {
        for sparse in tensors {
            hasher.combine(sparse.shape.dims)
            hasher.combine(self[sparse.values])
            hasher.combine(self[sparse.indices])
        }
    }
}
