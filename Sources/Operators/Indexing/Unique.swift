import GraphIR
import TensorCore

/// ONNX Unique (11-28): the different elements, or slices of `axis`, with the index of the first of each, for each
/// input the position of its equal, and counts. All NaN are one element.
struct Unique: Operator {
    static let elementTypes: [DType] = DType.numeric + [.bool, .string]
    private let axis: Int?
    private let isSorted: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis")
        isSorted = try node.bool("sorted", default: true)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        let numbers = [Inferred](repeating: Inferred(.int64, [.unknown]), count: 3)
        guard let axis else { return [Inferred(dtype, [.unknown])] + numbers }
        guard var values = try context.shape(0) else { return [Inferred(dtype, nil)] + numbers }
        values.dims[try context.axis(axis, rank: values.rank)] = .unknown
        return [Inferred(dtype, values)] + numbers
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let source = axis == nil ? try context.shape(of: [input.elementCount]) : input.shape
        let slices = Slices(
            input: input, shape: source, axis: try context.axis(axis ?? 0, rank: source.rank), isSorted: isSorted,
            context: context)
        switch input.dtype {
        case .string: try slices.group(String.self) { $0 == $1 ? 0 : $0 < $1 ? -1 : 1 }
        case .bool: try slices.run(UInt8.self)
        default: try context.placing { () throws(SardonyxError) in try withNumericType(input.dtype, slices) }
        }
    }

    private struct Slices: NumericBody {
        let input: TensorView
        let shape: Shape
        let axis: Int
        let isSorted: Bool
        let context: RunContext

        func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) {
            try group(T.self) { a, b in
                if a.isNaN || b.isNaN { return (a.isNaN ? 1 : 0) - (b.isNaN ? 1 : 0) }
                return a == b ? 0 : a < b ? -1 : 1
            }
        }

        /// - Parameter order: negative, zero or positive, as the first element comes before, with or after the second.
        func group<T>(_ type: T.Type, _ order: (T, T) -> Int) throws(SardonyxError) {
            let count = shape[axis]
            let inner = shape.dims[(axis + 1)...].reduce(1, *)
            let outer = shape.dims[..<axis].reduce(1, *)
            let elements = input.pointer.assumingMemoryBound(to: T.self)
            try group(outer: outer, inner: inner) { a, b in
                for block in 0..<outer {
                    let base = block * count * inner
                    for lane in 0..<inner {
                        let result = order(elements[base + a * inner + lane], elements[base + b * inner + lane])
                        if result != 0 { return result }
                    }
                }
                return 0
            }
        }

        /// Not generic and not inlined: one sorting routine serves all element types.
        @inline(never)
        private func group(outer: Int, inner: Int, _ compare: (_ a: Int, _ b: Int) -> Int) throws(SardonyxError) {
            let count = shape[axis]
            // The order, positions and counts, and what sorting and renumbering copy of them.
            try context.budget.check(CheckedSize.product(count, 64) ?? .max, for: context.label)
            var firsts: [Int] = []
            var counts: [Int] = []
            var inverse = [Int](repeating: 0, count: count)
            for index in try context.sorted(0..<count, by: { (compare($0, $1), $0) < (0, $1) }) {
                if let last = firsts.last, compare(last, index) == 0 {
                    counts[counts.count - 1] += 1
                } else {
                    firsts.append(index)
                    counts.append(1)
                }
                inverse[index] = firsts.count - 1
            }
            if !isSorted {
                let appearance = firsts.indices.sorted { firsts[$0] < firsts[$1] }
                var position = firsts.indices.map { $0 }
                for (new, old) in appearance.enumerated() { position[old] = new }
                inverse = inverse.map { position[$0] }
                firsts = appearance.map { firsts[$0] }
                counts = appearance.map { counts[$0] }
            }
            try write(firsts, inverse, counts, outer: outer, inner: inner)
        }

        private func write(_ firsts: [Int], _ inverse: [Int], _ counts: [Int], outer: Int, inner: Int)
            throws(SardonyxError)
        {
            let rows = try CheckedIndices(count: firsts.count, scratch: nil, context)
            for (position, index) in firsts.enumerated() { rows.pointer[position] = Int64(index) }
            var dims = shape.dims
            dims[axis] = firsts.count
            let values = try context.output(0, dtype: input.dtype, shape: try context.shape(of: dims))
            rows.gather(
                from: input, to: values, outer: outer, extent: shape[axis], row: inner, threads: context.threads)
            for (output, numbers) in [(1, firsts), (2, inverse), (3, counts)] where output < context.outputs.count {
                let target = try context.output(output, dtype: .int64, shape: try context.shape(of: [numbers.count]))
                    .elements(Int64.self)
                for index in numbers.indices { target[index] = Int64(numbers[index]) }
            }
        }
    }
}
