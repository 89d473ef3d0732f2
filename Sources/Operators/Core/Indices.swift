import TensorCore

/// Indices that come from data, checked before anything is written.
///
/// The checked copies live in the plan's scratch memory, or in memory of their own when the plan did not know the size.
final class CheckedIndices {
    let count: Int
    let pointer: UnsafeMutablePointer<Int64>
    private let own: Buffer?

    /// Space for `count` indices.
    /// - Parameter scratch: memory for them, when the plan has reserved any.
    init(count: Int, scratch: UnsafeMutableRawPointer?, _ context: RunContext) throws(SardonyxError) {
        self.count = count
        if let scratch {
            own = nil
            pointer = scratch.assumingMemoryBound(to: Int64.self)
        } else {
            guard let bytes = CheckedSize.product(count, 8) else {
                throw context.error(.limit, "indices", got: "\(count)", allowed: "at most 2^48")
            }
            try context.budget.check(bytes, for: context.label)
            let buffer = try Buffer(byteCount: bytes)
            own = buffer
            pointer = buffer.pointer.assumingMemoryBound(to: Int64.self)
        }
    }

    /// The indices of an axis, counted from the front.
    /// - Throws: `value` with element, index and allowed range.
    static func along(
        extent: Int, of input: Int, _ role: String, scratch: UnsafeMutableRawPointer?, _ context: RunContext
    ) throws(SardonyxError) -> CheckedIndices {
        let view = try context.input(input)
        let indices = try CheckedIndices(count: view.elementCount, scratch: scratch, context)
        let body = Along(view: view, extent: extent, target: indices.pointer, role: role, context: context)
        try context.placing { () throws(SardonyxError) in try withIntegerType(view.dtype, body) }
        return indices
    }

    private struct Along: IntegerBody {
        let view: TensorView
        let extent: Int
        let target: UnsafeMutablePointer<Int64>
        let role: String
        let context: RunContext

        func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) throws(SardonyxError) {
            let limit = Int64(extent)
            let elements = view.elements(T.self)
            // The sign of this becomes that of anything out of range; wrapped sums are out of range, too.
            var outside: Int64 = 0
            for element in elements.indices {
                let index = Int64(clamping: elements[element])
                outside |= (index &+ limit) | (limit &- 1 &- index)
                target[element] = index &+ (index < 0 ? limit : 0)
            }
            guard outside < 0 else { return }
            for (element, given) in elements.enumerated() {
                let index = Int64(clamping: given)
                guard index >= -limit, index < limit else {
                    throw outOfRange(role, element, "\(given)", extent, context)
                }
            }
        }
    }

    /// Row numbers of tuples `[…, depth]` that address the axes of `extents` (`depth` of them), plus, for each of
    /// `batches` equal groups of tuples, the rows of the groups before.
    /// - Throws: `value` with element, index and allowed range.
    static func tuples(
        extents: ArraySlice<Int>, batches: Int, of input: Int, _ role: String, scratch: UnsafeMutableRawPointer?,
        _ context: RunContext
    ) throws(SardonyxError) -> CheckedIndices {
        let view = try context.input(input)
        let depth = extents.count
        let tuples = depth == 0 ? view.shape.dims.dropLast().reduce(1, *) : view.elementCount / depth
        let rows = try CheckedIndices(count: tuples, scratch: scratch, context)
        let values = view.elements(Int64.self)
        guard view.dtype == .int64 else {
            throw context.error(.unsupported, "\(role) element type", got: "\(view.dtype)", allowed: "int64")
        }
        let rowsOfBatch = extents.reduce(1, *)
        for tuple in 0..<tuples {
            var row = batches == 0 ? 0 : tuple / max(tuples / batches, 1) * rowsOfBatch
            var stride = rowsOfBatch
            for (position, extent) in extents.enumerated() {
                let element = tuple * depth + position
                let index = values[element]
                guard index >= -Int64(extent), index < Int64(extent) else {
                    throw outOfRange(role, element, "\(index)", extent, context)
                }
                stride /= extent
                row += (index < 0 ? Int(index) + extent : Int(index)) * stride
            }
            rows.pointer[tuple] = Int64(row)
        }
        return rows
    }

    private static func outOfRange(
        _ role: String, _ element: Int, _ index: String, _ extent: Int, _ context: RunContext
    ) -> SardonyxError {
        let allowed = extent == 0 ? "none: the axis is empty" : "\(-extent) to \(extent - 1)"
        return context.error(.value, "\(role): element \(element)", got: index, allowed: allowed)
    }
}

/// Memory that a plan reserves for `CheckedIndices`, when it knows how many there are.
struct IndexScratch: Sendable {
    private var count: Int?

    var byteCount: Int { (count ?? 0) * 8 }

    /// One index for each element of an input, or for each tuple of its last axis.
    mutating func reserve(forInput index: Int, tuples: Bool = false, _ context: PrepareContext) {
        guard context.hasInput(index), let shape = context.inputs[index]?.shape else { return }
        count = tuples ? shape.dims.dropLast().reduce(1, *) : shape.elementCount
    }

    /// `nil`: the indices need memory of their own.
    func memory(_ context: RunContext) -> UnsafeMutableRawPointer? { count == nil ? nil : context.scratch }
}

/// Walks the rows (runs of the last axis) of a box of elements, and where they begin in two tensors.
struct RowWalk: Sendable {
    let dims: [Int]
    let first: [Int]
    let second: [Int]

    /// - Parameters:
    ///   - dims: extents of the box; not empty.
    ///   - first, second: element strides of the two tensors, one an axis.
    init(_ dims: [Int], _ first: [Int], _ second: [Int]) {
        self.dims = dims
        self.first = first
        self.second = second
    }

    /// How many rows there are.
    var count: Int { dims.dropLast().reduce(1, *) }

    /// Calls `body` with the number of each row and its offsets, in row-major order.
    @inline(__always)
    func forEach(_ body: (_ row: Int, _ first: Int, _ second: Int) -> Void) {
        guard !dims.contains(0) else { return }
        forEach(in: 0..<count, body)
    }

    /// The same for some of the rows of a box that is not empty.
    @inline(__always)
    func forEach(in rows: Range<Int>, _ body: (_ row: Int, _ first: Int, _ second: Int) -> Void) {
        let outer = dims.count - 1
        withUnsafeTemporaryAllocation(of: Int.self, capacity: max(outer, 1)) { position in
            position.initialize(repeating: 0)
            var (a, b, rest) = (0, 0, rows.lowerBound)
            for axis in (0..<outer).reversed() {
                (rest, position[axis]) = rest.quotientAndRemainder(dividingBy: dims[axis])
                a += position[axis] * first[axis]
                b += position[axis] * second[axis]
            }
            for row in rows {
                body(row, a, b)
                var axis = outer - 1
                while axis >= 0 {
                    position[axis] += 1
                    a += first[axis]
                    b += second[axis]
                    if position[axis] < dims[axis] { break }
                    a -= first[axis] * dims[axis]
                    b -= second[axis] * dims[axis]
                    position[axis] = 0
                    axis -= 1
                }
            }
        }
    }
}
