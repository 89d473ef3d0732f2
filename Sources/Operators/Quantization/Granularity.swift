import CKernels
import GraphIR
import TensorCore

/// Which elements share a scale and a zero point: all of them, those of one index of an axis, or those of a block of an
/// axis (attributes `axis` and `block_size` of QuantizeLinear and DequantizeLinear).
struct Granularity: Sendable {
    private let axis: Int
    /// 0: no blocks.
    private let block: Int
    private(set) var map = sx_quant_map()
    private(set) var parameterCount = 0
    /// Elements of a group where all share their parameters: enough to occupy a thread.
    private static let groupSize = 16384

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: 1)
        block = try node.int("block_size", default: 0)
        guard block >= 0, block <= CheckedSize.maximumElements else {
            throw node.error(.shape, "attribute block_size", got: "\(block)", allowed: "0 (no blocks) or more")
        }
    }

    /// The axis from the front; that of a one-dimensional tensor whatever was given.
    private func axis(rank: Int, _ place: some NodePlace) throws(SardonyxError) -> Int {
        rank == 1 ? 0 : try place.axis(axis, rank: rank)
    }

    /// - Throws: `shape` when the scale (input 1) cannot belong to x (input 0), or the zero point (2) to the scale.
    func check(_ context: InferContext) throws(SardonyxError) {
        guard let scale = try context.shape(1) else { return }
        if context.hasInput(2), let zero = try context.shape(2)?.knownDims, let dims = scale.knownDims, zero != dims,
            CheckedSize.product(zero) != 1 || CheckedSize.product(dims) != 1
        {
            throw context.error(.shape, "zero point", got: "\(zero)", allowed: "\(dims), the shape of the scale")
        }
        guard let x = try context.shape(0) else { return }
        if let dims = scale.knownDims, CheckedSize.product(dims) == 1 { return }
        if block == 0 {
            guard scale.rank == 1, x.rank > 0 else {
                throw context.error(
                    .shape, "scale", got: "\(scale) for \(x)", allowed: "one element, or one for each of an axis")
            }
            let axis = try axis(rank: x.rank, context)
            try context.requireEqual(scale.dims[0], x.dims[axis], "scales and extent of axis \(axis)")
            return
        }
        guard scale.rank == x.rank, x.rank > 0 else {
            throw context.error(.shape, "scale rank", got: "\(scale) for \(x)", allowed: "rank \(x.rank)")
        }
        let blocked = try axis(rank: x.rank, context)
        for (index, (own, whole)) in zip(scale.dims, x.dims).enumerated() {
            let wanted = index == blocked ? whole.value.map { .known(blocks(in: $0)) } ?? .unknown : whole
            try context.requireEqual(own, wanted, "scale's and expected extent of axis \(index)")
        }
    }

    private func blocks(in extent: Int) -> Int { extent / block + (extent % block == 0 ? 0 : 1) }

    /// Takes the shapes, which `check` has found right.
    mutating func setShapes(_ x: Shape, scale: Shape, _ place: some NodePlace) throws(SardonyxError) {
        parameterCount = scale.elementCount
        map.outer = 1
        map.groups_per_parameter = 1
        guard parameterCount != 1 else {
            let count = Self.groupSize
            map.extent = Int64(x.elementCount)
            map.groups = Int64((x.elementCount + count - 1) / count)
            map.count = Int64(count)
            return
        }
        guard x.elementCount > 0 else { return }
        let axis = try axis(rank: x.rank, place)
        let inner = x.dims[(axis + 1)...].reduce(1, *)
        let extent = x[axis]
        map.outer = Int64(x.elementCount / (extent * inner))
        map.extent = Int64(extent * inner)
        map.group_parameters = 1
        if inner > 1 {
            (map.groups, map.count) = (Int64(extent), Int64(inner))
        } else if block == 0 {
            (map.groups, map.count, map.step) = (1, Int64(extent), 1)
        } else {
            (map.groups, map.count) = (Int64(scale[axis]), Int64(block))
        }
        guard block > 0 else { return }
        map.outer_parameters = Int64(scale[axis] * inner)
        if inner > 1 {
            (map.groups_per_parameter, map.group_parameters, map.step) = (Int64(block), Int64(inner), 1)
        }
    }

    /// Calls `body` with the first element and the number of elements of each group, and with its first parameter.
    func forEachGroup(
        _ body: (_ first: Int, _ count: Int, _ parameter: Int) throws(SardonyxError) -> Void
    ) throws(SardonyxError) {
        for o in 0..<map.outer {
            for g in 0..<map.groups {
                let parameter = o * map.outer_parameters + g / map.groups_per_parameter * map.group_parameters
                let first = g * map.count
                try body(Int(o * map.extent + first), Int(min(map.count, map.extent - first)), Int(parameter))
            }
        }
    }

    /// From an element of a group to its parameter: 0 or 1.
    var step: Int { Int(map.step) }
}
