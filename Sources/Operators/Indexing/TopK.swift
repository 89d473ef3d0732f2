import GraphIR
import TensorCore

/// ONNX TopK (1-24): the k largest or smallest elements along an axis and their indices, best first.
///
/// Equal elements keep the order of their indices; NaN counts as the greatest number.
struct TopK: Operator {
    static let elementTypes: [DType] = DType.numeric
    private let axis: Int
    private let attribute: Int?
    private let isLargest: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: -1)
        attribute = node.opset < 10 ? try node.required("k", try node.int("k")) : nil
        isLargest = try node.bool("largest", default: true)
    }

    private func check(_ k: Int, extent: Int, at place: some NodePlace) throws(SardonyxError) {
        guard k >= 0, k <= extent else {
            throw place.error(
                .value, "k", got: "\(k)", allowed: "0 to \(extent), the extent of axis \(axis)", hint: nil)
        }
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        guard var output = try context.shape(0) else { return [Inferred(dtype, nil), Inferred(.int64, nil)] }
        let axis = try context.axis(axis, rank: output.rank)
        let input = attribute == nil ? try context.content(1)?.first : nil
        let k = attribute.map(Dim.known) ?? input ?? .unknown
        if let k = k.value { try check(k, extent: output.dims[axis].value ?? .max, at: context) }
        output.dims[axis] = k
        return [Inferred(dtype, output), Inferred(.int64, output)]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let axis = try context.axis(axis, rank: input.shape.rank)
        let given = attribute == nil ? try context.integer(1) : nil
        let k = attribute ?? given ?? 0
        try check(k, extent: input.shape[axis], at: context)
        var dims = input.shape.dims
        dims[axis] = k
        let shape = try context.shape(of: dims)
        let values = try context.output(0, dtype: input.dtype, shape: shape)
        // The indices are the working memory of the selection, so they are made even when nobody reads them.
        let spare = context.outputs.count > 1 ? nil : try Buffer(byteCount: shape.elementCount * 8)
        let named = spare == nil ? try context.output(1, dtype: .int64, shape: shape).pointer : nil
        guard let indices = named ?? spare?.pointer else { return }
        let body = Select(
            input: input, axis: axis, k: k, isLargest: isLargest, values: values,
            indices: TensorView(dtype: .int64, shape: shape, pointer: indices), context: context)
        try context.placing { () throws(SardonyxError) in try withNumericType(input.dtype, body) }
        withExtendedLifetime(spare) {}
    }

    private struct Select: NumericBody {
        let input: TensorView
        let axis: Int
        let k: Int
        let isLargest: Bool
        let values, indices: TensorView
        let context: RunContext

        func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) {
            guard k > 0, input.elementCount > 0 else { return }
            let (extent, inner) = (input.shape[axis], input.shape.strides[axis])
            let (input, values, indices, k, isLargest) = (input, values, indices, k, isLargest)
            try context.inParallel(input.elementCount / extent, cost: extent) { rows in
                for row in rows {
                    let (outer, lane) = row.quotientAndRemainder(dividingBy: inner)
                    let first = outer * k * inner + lane
                    let line = Line(
                        elements: input.typed(T.self) + outer * extent * inner + lane, step: inner,
                        turn: isLargest ? 0 : ~0)
                    let (target, heap) = (values.typed(T.self) + first, indices.typed(Int64.self) + first)
                    line.select(k, of: extent, into: heap)
                    for place in 0..<k { target[place * inner] = line.elements[Int(heap[place * inner]) * inner] }
                }
            }
        }
    }

    /// One run along the axis. The k best are kept in a heap, worst on top, that lies in the output itself.
    private struct Line<T: NumericElement> {
        let elements: UnsafePointer<T>
        let step: Int
        /// All bits set turn the order of the ranks round.
        let turn: T.Rank

        @inline(__always)
        private func rank(_ index: Int) -> T.Rank { elements[index * step].rank ^ turn }

        /// The greatest rank of sixteen elements.
        @inline(__always)
        private func greatest(of first: Int) -> T.Rank {
            var greatest = T.Rank.min
            if step == 1 {
                let group = elements + first
                for index in 0..<16 { greatest = max(greatest, group[index].rank ^ turn) }
            } else {
                for index in first..<first + 16 { greatest = max(greatest, rank(index)) }
            }
            return greatest
        }

        @inline(__always)
        private func isBetter(_ a: Int64, _ b: Int64) -> Bool {
            let (x, y) = (rank(Int(a)), rank(Int(b)))
            return x > y || x == y && a < b
        }

        func select(_ k: Int, of extent: Int, into heap: UnsafeMutablePointer<Int64>) {
            for index in 0..<k { heap[index * step] = Int64(index) }
            for root in (0..<k / 2).reversed() { sink(root, heap, k) }
            var worst = rank(Int(heap[0]))
            // Most groups hold nothing that is better than the worst so far, which their greatest rank tells at once.
            for first in stride(from: k, to: extent, by: 16) {
                let end = min(first + 16, extent)
                guard end - first < 16 || greatest(of: first) > worst else { continue }
                for index in first..<end where rank(index) > worst {
                    heap[0] = Int64(index)
                    sink(0, heap, k)
                    worst = rank(Int(heap[0]))
                }
            }
            for end in (1..<k).reversed() {
                (heap[0], heap[end * step]) = (heap[end * step], heap[0])
                sink(0, heap, end)
            }
        }

        private func sink(_ start: Int, _ heap: UnsafeMutablePointer<Int64>, _ count: Int) {
            var root = start
            while 2 * root + 1 < count {
                var child = 2 * root + 1
                if child + 1 < count, isBetter(heap[child * step], heap[(child + 1) * step]) { child += 1 }
                guard isBetter(heap[root * step], heap[child * step]) else { return }
                (heap[root * step], heap[child * step]) = (heap[child * step], heap[root * step])
                root = child
            }
        }
    }
}
