import GraphIR
import TensorCore

/// Walks the elements of a broadcast output, row by row, and where each row begins in up to three inputs.
///
/// Made once by `prepare`; `forEachRow` allocates nothing. Axes along which all inputs go on evenly are joined, so that
/// tensors of equal shape are a single row.
package struct BroadcastWalk: Sendable {
    package let output: Shape
    private let outer: [Int]
    private let outerStrides: [SIMD4<Int>]
    /// Elements of a row.
    package let count: Int
    /// Element strides of the inputs within a row: 0 or 1.
    package let steps: SIMD4<Int>

    /// - Throws: `shape` when the inputs do not broadcast, `limit` when the result is too large.
    package init(_ shapes: [Shape], at place: some NodePlace) throws(SardonyxError) {
        output = try Broadcast.shape(shapes, at: place)
        let strides = shapes.map { [output] in Broadcast.strides(of: $0, in: output) }
        var dims: [Int] = []
        var joined: [SIMD4<Int>] = []
        for axis in 0..<output.rank where output[axis] != 1 {
            var step = SIMD4<Int>(repeating: 0)
            for operand in strides.indices { step[operand] = strides[operand][axis] }
            if let last = dims.last, joined[joined.count - 1] == step &* SIMD4(repeating: output[axis]) {
                dims[dims.count - 1] = last * output[axis]
                joined[joined.count - 1] = step
            } else {
                dims.append(output[axis])
                joined.append(step)
            }
        }
        // A row that moves in no input (a scalar output) has one element.
        count = dims.popLast() ?? 1
        steps = joined.popLast() ?? SIMD4(repeating: 0)
        outer = dims
        outerStrides = joined
    }

    private var rows: Int { outer.reduce(1, *) }

    /// Calls `body` with the first output element of each row and the first elements in the inputs.
    @inline(__always)
    package func forEachRow(_ body: (_ first: Int, _ offsets: SIMD4<Int>) -> Void) {
        guard output.elementCount > 0 else { return }
        forEachRow(in: 0..<rows, body)
    }

    /// The same for some of the rows of an output that is not empty.
    @inline(__always)
    private func forEachRow(in rows: Range<Int>, _ body: (_ first: Int, _ offsets: SIMD4<Int>) -> Void) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: max(outer.count, 1)) { position in
            position.initialize(repeating: 0)
            var (offsets, rest) = (SIMD4<Int>(repeating: 0), rows.lowerBound)
            for axis in outer.indices.reversed() {
                (rest, position[axis]) = rest.quotientAndRemainder(dividingBy: outer[axis])
                offsets &+= outerStrides[axis] &* SIMD4(repeating: position[axis])
            }
            for row in rows {
                body(row * count, offsets)
                var axis = outer.count - 1
                while axis >= 0 {
                    position[axis] += 1
                    offsets &+= outerStrides[axis]
                    if position[axis] < outer[axis] { break }
                    offsets &-= outerStrides[axis] &* SIMD4(repeating: outer[axis])
                    position[axis] = 0
                    axis -= 1
                }
            }
        }
    }

    /// Calls `body`, on the node's threads, for parts of the output for `map`. Operations are literals inside of it:
    /// where it captured them, each element would take a call.
    package func forEachPart(_ context: RunContext, _ body: @Sendable (Range<Int>) -> Void) throws(SardonyxError) {
        guard output.elementCount > 0 else { return }
        try context.inParallel(rows == 1 ? count : rows, cost: rows == 1 ? 1 : count, body)
    }

    /// `output[i] = operation(a[i], b[i])` over a part of the broadcast inputs 0 and 1.
    @inline(__always)
    package func map<A, R>(
        _ part: Range<Int>, _ a: UnsafePointer<A>, _ b: UnsafePointer<A>, to output: UnsafeMutablePointer<R>,
        _ operation: (A, A) -> R
    ) {
        guard rows > 1 else {
            let first = part.lowerBound
            return mapRow(a + first * steps[0], b + first * steps[1], output + first, part.count, operation)
        }
        forEachRow(in: part) { first, offsets in
            mapRow(a + offsets[0], b + offsets[1], output + first, count, operation)
        }
    }

    @inline(__always)
    private func mapRow<A, R>(
        _ x: UnsafePointer<A>, _ y: UnsafePointer<A>, _ target: UnsafeMutablePointer<R>, _ count: Int,
        _ operation: (A, A) -> R
    ) {
        switch (steps[0], steps[1]) {
        case (1, 1): for index in 0..<count { target[index] = operation(x[index], y[index]) }
        case (1, 0):
            let right = y[0]
            for index in 0..<count { target[index] = operation(x[index], right) }
        default:
            for index in 0..<count { target[index] = operation(x[index * steps[0]], y[index * steps[1]]) }
        }
    }
}

/// Broadcasting before opset 7: input 1 is stretched to input 0, aligned at `axis` (by default at the last axes), and
/// only where the attribute `broadcast` is set.
package struct LegacyBroadcast: Sendable {
    private let axis: Int?
    private let isAllowed: Bool

    /// `nil` when the node's version broadcasts both ways.
    package init?(_ node: NodeReader) throws(SardonyxError) {
        guard node.opset < 7 else { return nil }
        axis = try node.int("axis")
        isAllowed = try node.bool("broadcast", default: false)
    }

    /// Input 1's extents with ones appended, so that ordinary broadcasting aligns them at `axis`.
    /// - Throws: `shape` when it does not fit or broadcasting was not asked for.
    package func aligned(_ b: [Dim], to a: [Dim], at place: some NodePlace) throws(SardonyxError) -> [Dim] {
        guard isAllowed else {
            guard a.count == b.count else {
                throw place.error(
                    .shape, "ranks", got: "\(a.count) and \(b.count)", allowed: "equal unless broadcast is 1", hint: nil
                )
            }
            return b
        }
        guard let axis else { return b }
        let first = try place.axis(axis, rank: a.count)
        guard first + b.count <= a.count else {
            throw place.error(
                .shape, "input 1 at axis \(axis)", got: "\(SymbolicShape(b))",
                allowed: "rank \(a.count - first) or less", hint: nil)
        }
        return b + [Dim](repeating: .known(1), count: a.count - first - b.count)
    }
}
