import TensorCore

/// A factor of an Einsum: where it lies, and the stride of each of its labels.
struct EinsumOperand: Sendable {
    enum Place: Hashable, Sendable {
        case input(Int)
        /// Byte offset in the node's scratch memory.
        case scratch(Int)
        case output
    }
    typealias Label = EinsumEquation.Label

    var place: Place
    var strides: [Label: Int]

    init(place: Place, strides: [Label: Int]) {
        self.place = place
        self.strides = strides
    }

    /// Row-major in this order.
    init(place: Place, labels: [Label], extents: [Label: Int]) {
        self.place = place
        strides = [:]
        var stride = 1
        for label in labels.reversed() {
            strides[label] = stride
            stride *= extents[label] ?? 1
        }
    }

    /// Outermost first.
    var labels: [Label] { strides.keys.sorted { (strides[$0] ?? 0, $1) > (strides[$1] ?? 0, $0) } }

    /// Whether it lies row-major in this order.
    func isPacked(_ labels: [Label], _ extents: [Label: Int]) -> Bool {
        strides == EinsumOperand(place: place, labels: labels, extents: extents).strides
    }
}

/// An Einsum as steps with one or two factors each: first those whose product is smallest. A step is a batch of matrix
/// products wherever there is something to multiply; transposes before and after give it the order it needs.
struct EinsumPlan: Sendable {
    typealias Label = EinsumEquation.Label
    typealias Place = EinsumOperand.Place

    private enum Step: Sendable {
        case copy(StridedCopy, from: Place, to: Place)
        case loops(EinsumLoops, Place, Place?, to: Place)
        /// `scratch` is the byte offset of what the products need.
        case products(MatrixProducts, Place, Place, to: Place, scratch: Int)
    }

    private let dtype: DType
    private let extents: [Label: Int]
    private var steps: [Step] = []
    private var regions = ScratchRegions()
    private(set) var preparedInputs: [Int] = []
    var scratchByteCount: Int { regions.byteCount }

    /// - Parameter output: the labels of y, in order; all of them are in `extents`, as are those of the operands.
    init(
        _ operands: [EinsumOperand], output: [Label], extents: [Label: Int], dtype: DType, _ context: PrepareContext
    ) throws(SardonyxError) {
        self.dtype = dtype
        self.extents = extents
        var operands = operands
        let output = output.filter { extents[$0] != 1 }
        while operands.count > 1 {
            let (first, second) = nextPair(operands, output)
            let b = operands.remove(at: second)
            let a = operands.remove(at: first)
            let needed = Set(output).union(operands.flatMap(\.strides.keys))
            try context.interruption?.check()
            operands.append(
                try contract(a, b, to: operands.isEmpty ? output : nil, needed: needed, context))
        }
        guard let last = operands.first, last.place != .output else { return }
        _ = try reduce(last, to: output, place: .output, context)
    }

    private func size(_ labels: some Sequence<Label>) -> Int? { CheckedSize.product(labels.map { extents[$0] ?? 1 }) }

    /// The two operands, in order, whose product has the fewest elements.
    private func nextPair(_ operands: [EinsumOperand], _ output: [Label]) -> (Int, Int) {
        guard operands.count > 2 else { return (0, 1) }
        var best = (0, 1)
        var least = Int.max
        for second in operands.indices {
            for first in 0..<second {
                let others = operands.indices.filter { $0 != first && $0 != second }
                let needed = Set(output).union(others.flatMap { operands[$0].strides.keys })
                let labels = Set(operands[first].strides.keys).union(operands[second].strides.keys)
                let size = size(labels.intersection(needed)) ?? .max
                if size < least { (best, least) = ((first, second), size) }
            }
        }
        return best
    }

    private mutating func region(_ labels: [Label], _ context: PrepareContext) throws(SardonyxError) -> Place {
        let elements = size(labels).flatMap { CheckedSize.product($0, dtype.byteSize) }
        return .scratch(try regions.add(elements, at: context))
    }

    /// Sums a factor over the labels that the result lacks, or only copies it into this order.
    private mutating func reduce(
        _ operand: EinsumOperand, to labels: [Label], place: Place?, _ context: PrepareContext
    ) throws(SardonyxError) -> EinsumOperand {
        let target = if let place { place } else { try region(labels, context) }
        let result = EinsumOperand(place: target, labels: labels, extents: extents)
        let summed = operand.labels.filter { !labels.contains($0) }
        if summed.isEmpty {
            let copy = StridedCopy(
                dims: labels.map { extents[$0] ?? 1 }, sourceStrides: labels.map { operand.strides[$0] ?? 0 },
                destinationStrides: labels.map { result.strides[$0] ?? 0 })
            steps.append(.copy(copy, from: operand.place, to: target))
        } else {
            let loops = EinsumLoops(output: labels, summed: summed, [operand], extents)
            steps.append(.loops(loops, operand.place, nil, to: target))
        }
        return result
    }

    /// The product of two factors, summed over the labels that nothing else needs.
    /// - Parameter order: of y, where this is the last step.
    private mutating func contract(
        _ a: EinsumOperand, _ b: EinsumOperand, to order: [Label]?, needed: Set<Label>, _ context: PrepareContext
    ) throws(SardonyxError) -> EinsumOperand {
        let a = try withoutOwnSums(a, beside: b, needed, context)
        let b = try withoutOwnSums(b, beside: a, needed, context)
        let shared = a.labels.filter { b.strides[$0] != nil }
        let depth = shared.filter { !needed.contains($0) }
        let all = order ?? (shared.filter(needed.contains) + (a.labels + b.labels).filter { !shared.contains($0) })
        let batch = all.filter(shared.contains)
        let rows = all.filter { a.strides[$0] != nil && b.strides[$0] == nil }
        let columns = all.filter { a.strides[$0] == nil && b.strides[$0] != nil }
        guard let macs = size(rows + columns + depth), macs >= Self.leastProduct, !rows.isEmpty || !columns.isEmpty
        else {
            let target = order == nil ? try region(all, context) : .output
            steps.append(
                .loops(EinsumLoops(output: all, summed: depth, [a, b], extents), a.place, b.place, to: target))
            return EinsumOperand(place: target, labels: all, extents: extents)
        }
        // A vector is the factor that leaves the matrix where it lies.
        let swaps =
            rows.isEmpty
            ? b.isPacked(batch + columns + depth, extents)
            : columns.isEmpty ? a.isPacked(batch + depth + rows, extents) : all == batch + columns + rows
        return swaps
            ? try multiply(b, a, batch, columns, depth, rows, to: all, isLast: order != nil, context)
            : try multiply(a, b, batch, rows, depth, columns, to: all, isLast: order != nil, context)
    }

    /// Multiply-accumulates below which calling the kernel for products takes longer than they do.
    private static let leastProduct = 64

    private mutating func withoutOwnSums(
        _ operand: EinsumOperand, beside other: EinsumOperand, _ needed: Set<Label>, _ context: PrepareContext
    ) throws(SardonyxError) -> EinsumOperand {
        let kept = operand.labels.filter { other.strides[$0] != nil || needed.contains($0) }
        guard kept.count < operand.strides.count else { return operand }
        return try reduce(operand, to: kept, place: nil, context)
    }

    /// C `[batch, rows, columns]` = A `[batch, rows, depth]` B `[batch, depth, columns]`, then in the order of `all`.
    private mutating func multiply(
        _ a: EinsumOperand, _ b: EinsumOperand, _ batch: [Label], _ rows: [Label], _ depth: [Label],
        _ columns: [Label], to all: [Label], isLast: Bool, _ context: PrepareContext
    ) throws(SardonyxError) -> EinsumOperand {
        // The sum may run in the order of either factor.
        let own = b.labels.filter(depth.contains)
        let depth = b.isPacked(batch + own + columns, extents) ? own : a.labels.filter(depth.contains)
        let (a, transposesA) = try packed(a, batch, rows, depth, context)
        let (b, keepsB) = try packed(b, batch, columns, depth, context)
        let order = batch + rows + columns
        let inPlace = isLast && order == all
        let target = inPlace ? .output : try region(order, context)
        let batches = try context.shape(of: [size(batch) ?? .max])
        var products = try MatrixProducts(
            m: size(rows) ?? .max, n: size(columns) ?? .max, k: size(depth) ?? .max, batchA: batches, batchB: batches,
            transposesA: transposesA, transposesB: !keepsB, dtype: dtype, threads: context.threads, at: context)
        if case .input(let index) = b.place,
            try products.pack(context.constant(index), batches: batches.elementCount, context)
        {
            preparedInputs.append(index)
        }
        let scratch = try regions.add(products.scratchByteCount, at: context)
        steps.append(.products(products, a.place, b.place, to: target, scratch: scratch))
        let result = EinsumOperand(place: target, labels: order, extents: extents)
        guard isLast, !inPlace else { return result }
        return try reduce(result, to: all, place: .output, context)
    }

    /// The factor as `[batch, free, depth]` or (`true`) `[batch, depth, free]`, where it lies unless that is neither.
    private mutating func packed(
        _ operand: EinsumOperand, _ batch: [Label], _ free: [Label], _ depth: [Label], _ context: PrepareContext
    ) throws(SardonyxError) -> (EinsumOperand, Bool) {
        if operand.isPacked(batch + free + depth, extents) { return (operand, false) }
        if operand.isPacked(batch + depth + free, extents) { return (operand, true) }
        let isDepthInnermost = operand.labels.last.map(depth.contains) ?? true
        let order = isDepthInnermost ? batch + free + depth : batch + depth + free
        return (try reduce(operand, to: order, place: nil, context), !isDepthInnermost)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        for step in steps {
            try context.interruption?.check()
            switch step {
            case .copy(let copy, let from, let to):
                copy.run(
                    from: try pointer(from, context), to: try pointer(to, context), dtype, threads: context.threads)
            case .loops(let loops, let a, let b, let to):
                let (a, y) = (try pointer(a, context), try pointer(to, context))
                var second: UnsafeMutableRawPointer?
                if let b { second = try pointer(b, context) }
                let body = EinsumLoops.Body(loops: loops, a: a, b: second, y: y, interruption: context.interruption)
                try context.placing { () throws(SardonyxError) in try withNumber(dtype, body) }
            case .products(let products, let a, let b, let to, let scratch):
                let isPacked = preparedInputs.contains { b == .input($0) }
                let second = isPacked ? nil : try pointer(b, context)
                try products.run(
                    a: try pointer(a, context), b: second, c: try pointer(to, context),
                    scratch: context.scratch.map { $0 + scratch }, context)
            }
        }
    }

    private func pointer(_ place: Place, _ context: RunContext) throws(SardonyxError) -> UnsafeMutableRawPointer {
        switch place {
        case .input(let index): return try context.input(index).pointer
        case .output: return try context.output(0).pointer
        case .scratch(let offset):
            guard let scratch = context.scratch else { throw context.error(.internal, "no scratch memory") }
            return scratch + offset
        }
    }
}
