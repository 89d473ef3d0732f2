import GraphIR
import TensorCore

/// The elements of a value as another tensor: what Transpose, Reshape, Gather of one index and their like make of it,
/// without a copy. Offset and strides are in elements.
struct StridedView {
    let source: ValueID
    var offset = 0
    var dims: [Int]
    var strides: [Int]

    /// A value in row-major order.
    /// - Throws: `limit` where the extents cannot be a shape.
    init(_ source: ValueID, dims: [Int]) throws(SardonyxError) {
        self.source = source
        self.dims = dims
        self.strides = try Shape(dims).strides
    }

    mutating func transpose(_ permutation: [Int]) {
        dims = permutation.map { [dims] in dims[$0] }
        strides = permutation.map { [strides] in strides[$0] }
    }

    /// One index of an axis, which goes away.
    mutating func select(_ index: Int, axis: Int) {
        offset += index * strides[axis]
        dims.remove(at: axis)
        strides.remove(at: axis)
    }

    /// The same elements in the same order under other extents; false, and unchanged, where that needs a copy.
    mutating func reshape(to target: [Int]) -> Bool {
        guard !dims.contains(0), CheckedSize.product(dims) == CheckedSize.product(target) else { return false }
        let own = dims.indices.filter { dims[$0] != 1 }
        var result = [Int](repeating: 0, count: target.count)
        var from = 0
        var to = 0
        while from < own.count {
            // The shortest runs of axes on both sides that hold equally many elements.
            var (fromEnd, toEnd) = (from + 1, to + 1)
            var (held, wanted) = (dims[own[from]], target[to])
            while held != wanted {
                if held < wanted {
                    held *= dims[own[fromEnd]]
                    fromEnd += 1
                } else {
                    wanted *= target[toEnd]
                    toEnd += 1
                }
            }
            for axis in from..<fromEnd - 1
            where strides[own[axis]] != strides[own[axis + 1]] * dims[own[axis + 1]] { return false }
            var stride = strides[own[fromEnd - 1]]
            for axis in (to..<toEnd).reversed() {
                result[axis] = stride
                stride *= target[axis]
            }
            (from, to) = (fromEnd, toEnd)
        }
        (dims, strides) = (target, result)
        return true
    }
}

extension StridedView {
    /// The furthest that `tracing` looks back.
    private static let longestChain = 16

    /// The value seen as a view of the earliest value that it is a view of, and the factor that lies between them
    /// (products with scalars are passed over when `scales`). `nil` when its shape is not known.
    static func tracing(
        _ value: ValueID, scales: Bool, _ pattern: FusionPattern
    ) throws(SardonyxError) -> (view: StridedView, factor: Float)? {
        guard let dims = pattern.dims(of: value) else { return nil }
        var chain: [(node: Node, output: ValueID)] = []
        var first = value
        while chain.count < longestChain, let index = pattern.producer(of: first) {
            let node = pattern.graph.nodes[index]
            guard node.domain == Domains.onnx, let input = try source(of: node, scales: scales, pattern) else { break }
            chain.append((node, first))
            first = input
        }
        guard let firstDims = pattern.dims(of: first) else { return (try StridedView(value, dims: dims), 1) }
        var (view, factor) = (try StridedView(first, dims: firstDims), Float(1))
        for (node, output) in chain.reversed() {
            guard let target = pattern.dims(of: output) else { return (try StridedView(value, dims: dims), 1) }
            switch node.opType {
            case "Transpose":
                guard case .ints(let permutation)? = node.attributes["perm"] else { return nil }
                view.transpose(permutation)
            case "Gather":
                guard let (axis, index) = try pattern.selection(node) else { return nil }
                view.select(index, axis: axis)
            case "Mul", "Div": factor *= try pattern.scalarFactor(node)?.factor ?? 1
            default:
                if !view.reshape(to: target) { (view, factor) = (try StridedView(output, dims: target), 1) }
            }
        }
        return (view, factor)
    }

    /// The input that a node only views or scales.
    private static func source(
        of node: Node, scales: Bool, _ pattern: FusionPattern
    ) throws(SardonyxError) -> ValueID? {
        switch node.opType {
        case "Reshape", "Squeeze", "Unsqueeze", "Flatten": return node.inputs.first ?? nil
        case "Transpose": return node.attributes["perm"] == nil ? nil : node.inputs.first ?? nil
        case "Gather": return try pattern.selection(node) == nil ? nil : node.inputs.first ?? nil
        case "Mul", "Div": return scales ? try pattern.scalarFactor(node)?.value : nil
        default: return nil
        }
    }
}
