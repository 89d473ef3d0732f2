import CKernels
import GraphIR
import TensorCore

/// A separable resize: one table an axis that changes, and the passes that apply them.
struct ResizePlan: Sendable {
    /// One axis of `[outer, axis, inner]`.
    struct Pass: Sendable {
        var table: ResizeTable
        /// The same positions for copying whole rows.
        var rows: [Int64]
        var outer: Int
        var inner: Int
        var outputCount: Int { outer * table.output * inner }
    }

    private let dtype: DType
    private let copies: Bool
    private let extrapolation: Double
    private var passes: [Pass] = []
    /// Set where both changing axes are the last two and the kernel takes them at once.
    private var planar: (planes: Int, lanes: Int, rows: ResizeTable, columns: ResizeTable)?
    private let elementCount: Int
    /// Output positions, by axis, whose source lies outside.
    private let outside: [(axis: Int, positions: [Int])]

    /// - Parameter tables: by axis; `nil` for axes that stay as they are.
    init(
        tables: [ResizeTable?], input: TensorInfo, output: TensorInfo, copies: Bool, extrapolation: Double
    ) throws(SardonyxError) {
        self.dtype = input.dtype
        self.copies = copies
        self.extrapolation = extrapolation
        self.elementCount = output.shape.elementCount
        self.outside = tables.enumerated().compactMap { axis, table in
            table.flatMap { $0.outside.isEmpty ? nil : (axis, $0.outside) }
        }
        let rank = tables.count
        let changed = tables.indices.filter { tables[$0] != nil }
        if dtype == .float32, rank >= 2, changed.count == 2, changed[0] == rank - 2 || input.layout == .blocked16,
            let rows = tables[rank - 2], let columns = tables[rank - 1]
        {
            let lanes = input.layout == .blocked16 ? Layout.blockSize : 1
            let stored = try input.layout.storedElementCount(input.shape)
            planar = (stored / (rows.input * columns.input * lanes), lanes, rows, columns)
            return
        }
        let lanes = input.layout == .blocked16 ? Layout.blockSize : 1
        var dims = input.shape.dims
        if lanes > 1 { dims[1] = (dims[1] + lanes - 1) / lanes }
        for axis in changed.reversed() {
            guard let table = tables[axis] else { continue }
            passes.append(
                Pass(
                    table: table, rows: copies ? table.index.map(Int64.init) : [],
                    outer: dims[..<axis].reduce(1, *), inner: dims[(axis + 1)...].reduce(1, *) * lanes))
            dims[axis] = table.output
        }
    }

    /// Integers and float64 are interpolated in double precision.
    private var widens: Bool { !copies && dtype != .float32 }
    private var elementSize: Int { widens ? 8 : dtype.byteSize }
    private var intermediateCount: Int {
        let counts =
            passes.map(\.outputCount) + (widens ? [passes.first.map { $0.outer * $0.table.input * $0.inner } ?? 0] : [])
        return (widens ? counts : counts.dropLast()).max() ?? 0
    }

    /// Two buffers that the passes hand on.
    var scratchByteCount: Int { 2 * intermediateCount * elementSize }

    func run(_ x: TensorView, _ y: TensorView, _ context: RunContext) throws(SardonyxError) {
        guard elementCount > 0 else { return }
        if let planar {
            planar.rows.withKernelTable { rows in
                planar.columns.withKernelTable { columns in
                    sx_resize_2d(
                        x.floats, y.floats, Int64(planar.planes), Int64(planar.rows.input), Int64(planar.columns.input),
                        Int64(planar.rows.output), Int64(planar.columns.output), Int32(planar.lanes), rows, columns,
                        Int32(context.threads))
                }
            }
        } else if passes.isEmpty {
            try x.copyElements(to: y, threads: context.threads)
        } else if widens {
            try context.placing { () throws(SardonyxError) in
                try withNumber(dtype, Widened(plan: self, x: x, y: y, scratch: context.scratch))
            }
        } else {
            runPasses(x, y, context)
        }
        try context.placing { () throws(SardonyxError) in try extrapolate(y) }
    }

    private func runPasses(_ x: TensorView, _ y: TensorView, _ context: RunContext) {
        var source = x.pointer
        for (index, pass) in passes.enumerated() {
            var target = y.pointer
            if index + 1 < passes.count, let scratch = context.scratch {
                target = scratch + (index % 2) * intermediateCount * elementSize
            }
            if copies {
                sx_gather_rows(
                    source, pass.rows, target, Int64(pass.outer), Int64(pass.table.input), Int64(pass.table.output),
                    Int64(pass.inner * dtype.byteSize), Int32(context.threads))
            } else {
                pass.table.withKernelTable { table in
                    sx_resize_axis(
                        source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: Float.self),
                        Int64(pass.outer), Int64(pass.table.input), Int64(pass.table.output), Int64(pass.inner), table,
                        Int32(context.threads))
                }
            }
            source = target
        }
    }

    private struct Widened: NumberBody {
        let plan: ResizePlan
        let x, y: TensorView
        let scratch: UnsafeMutableRawPointer?

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            guard let scratch = scratch?.assumingMemoryBound(to: Double.self) else { return }
            var (source, target) = (scratch, scratch + plan.intermediateCount)
            for (i, value) in x.elements(T.self).enumerated() { source[i] = value.asDouble }
            for pass in plan.passes {
                let (table, inner) = (pass.table, pass.inner)
                for o in 0..<pass.outer * table.output {
                    let (outer, position) = (o / table.output, o % table.output)
                    for i in 0..<inner {
                        var sum = 0.0
                        for tap in position * table.taps..<(position + 1) * table.taps {
                            sum += table.weight[tap] * source[(outer * table.input + Int(table.index[tap])) * inner + i]
                        }
                        target[o * inner + i] = sum
                    }
                }
                swap(&source, &target)
            }
            for (i, _) in y.elements(T.self).enumerated() { y.elements(T.self)[i] = T(saturating: source[i]) }
        }
    }

    /// Sets what lies outside the source (`tf_crop_and_resize`) to the extrapolation value.
    private func extrapolate(_ y: TensorView) throws(SardonyxError) {
        guard !outside.isEmpty else { return }
        try withNumber(y.dtype, Filled(y: y, axes: outside, value: extrapolation))
    }

    private struct Filled: NumberBody {
        let y: TensorView
        let axes: [(axis: Int, positions: [Int])]
        let value: Double

        func run<T: Number>(_ type: T.Type) throws(SardonyxError) {
            let (elements, value) = (y.elements(T.self), T(saturating: value))
            for (axis, positions) in axes {
                let inner = y.shape.strides[axis]
                let extent = y.shape[axis]
                for start in stride(from: 0, to: elements.count, by: extent * inner) {
                    for position in positions {
                        for i in 0..<inner { elements[start + position * inner + i] = value }
                    }
                }
            }
        }
    }
}
