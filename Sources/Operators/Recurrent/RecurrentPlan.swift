import TensorCore

/// What a recurrent layer knows of its memory once the shapes are concrete.
struct RecurrentPlan: Sendable {
    struct Extents: Sendable {
        let steps, batch, inputs, hidden, gates, directions: Int
    }

    let extents: Extents
    let input: RecurrentWeights
    let recurrent: RecurrentWeights
    /// Offsets in scratch memory: x W + biases of all steps, h R of one step, the gates of one step, the states h, c
    /// and their successors, the sum of the biases, and what products need.
    let projected, recurrentProduct, gates, states, bias, product: Int
    let scratchByteCount: Int

    init<T: RecurrentElement>(
        _ extents: Extents, _ products: [Range<Int>], _ type: T.Type, _ context: PrepareContext
    ) throws(SardonyxError) {
        self.extents = extents
        let (batch, hidden) = (extents.batch, extents.hidden)
        let width = extents.gates * hidden
        let rows = CheckedSize.product(extents.steps, batch)
        guard let rows, max(rows, width, extents.inputs) <= Int(Int32.max) else {
            throw context.error(
                .limit, "extents", got: "\(extents.steps) steps of \(batch) by \(width)", allowed: "32 bits")
        }
        let size = MemoryLayout<T>.stride
        var regions = ScratchRegions()
        projected = try regions.add(CheckedSize.product(rows, width, size), at: context)
        let widest = products.map { $0.count * hidden }.max() ?? width
        recurrentProduct = try regions.add(CheckedSize.product(batch, widest, size), at: context)
        gates = try regions.add(CheckedSize.product(batch, width, size), at: context)
        states = try regions.add(CheckedSize.product(4, batch, hidden, size), at: context)
        bias = try regions.add(CheckedSize.product(width, size), at: context)
        var needs = [T.multiplyScratch(m: rows, n: width, k: extents.inputs, threads: context.threads)]
        for gates in products {
            needs.append(T.multiplyScratch(m: batch, n: gates.count * hidden, k: hidden, threads: context.threads))
        }
        product = try regions.add(needs.max() ?? 0, at: context)
        input = try RecurrentWeights(
            1, parts: [0..<width], k: extents.inputs, directions: extents.directions, type, &regions, context)
        recurrent = try RecurrentWeights(
            2, parts: products.map { ($0.lowerBound * hidden)..<($0.upperBound * hidden) }, k: hidden,
            directions: extents.directions, type, &regions, context)
        scratchByteCount = regions.byteCount
    }
}

/// Weights `[directions, n, k]` packed for products, each run of rows of a direction on its own: once where they are
/// constant, else by each run.
struct RecurrentWeights: Sendable {
    private let index: Int
    private let parts: [Range<Int>]
    private let k: Int
    /// Of a direction's parts, relative to the direction's beginning.
    private let offsets: [Int]
    private let directionByteCount: Int
    private(set) var packed: Buffer?
    private var scratchOffset = 0

    init<T: RecurrentElement>(
        _ index: Int, parts: [Range<Int>], k: Int, directions: Int, _ type: T.Type, _ regions: inout ScratchRegions,
        _ context: PrepareContext
    ) throws(SardonyxError) {
        self.index = index
        self.parts = parts
        self.k = k
        var direction = ScratchRegions()
        var offsets: [Int] = []
        for part in parts {
            offsets.append(try direction.add(T.packedByteCount(n: part.count, k: k), at: context))
        }
        guard let bytes = CheckedSize.roundUp(direction.byteCount, to: 64),
            let total = CheckedSize.product(directions, bytes)
        else { throw context.error(.limit, "packed weights overflow") }
        self.offsets = offsets
        directionByteCount = bytes
        guard let constant = context.constant(index) else {
            scratchOffset = try regions.add(bytes, at: context)
            return
        }
        try context.budget.check(total, for: context.node.label)
        let key = "recurrent \(T.dtype) \(parts) \(k)"
        let maker = self
        packed = try context.weights.packed(constant, key) { (tensor) throws(SardonyxError) in
            let buffer = try Buffer(byteCount: total)
            let from = tensor.elements(of: T.self)
            guard let first = from.baseAddress else { return buffer }
            for direction in 0..<directions {
                maker.pack(
                    first, direction, into: buffer.pointer + direction * bytes, threads: context.threads)
            }
            withExtendedLifetime(tensor) {}
            return buffer
        }
    }

    private func pack<T: RecurrentElement>(
        _ first: UnsafePointer<T>, _ direction: Int, into target: UnsafeMutableRawPointer, threads: Int
    ) {
        let rows = parts.last?.upperBound ?? 0
        for (part, offset) in zip(parts, offsets) {
            T.pack(
                first + (direction * rows + part.lowerBound) * k, n: part.count, k: k, into: target + offset,
                threads: threads)
        }
    }

    /// The packed parts of a direction.
    func pointers<T: RecurrentElement>(
        of direction: Int, _ type: T.Type, _ scratch: UnsafeMutableRawPointer, _ context: RunContext
    ) throws(SardonyxError) -> [UnsafeRawPointer] {
        if let packed { return offsets.map { UnsafeRawPointer(packed.pointer + direction * directionByteCount + $0) } }
        let target = scratch + scratchOffset
        pack(try context.input(index).typed(T.self), direction, into: target, threads: context.threads)
        return offsets.map { UnsafeRawPointer(target + $0) }
    }
}
