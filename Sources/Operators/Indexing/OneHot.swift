import GraphIR
import TensorCore

/// ONNX OneHot (9-28): `on` where the new axis meets the index, `off` elsewhere; indices out of range give all `off`.
struct OneHot: Operator {
    private let axis: Int

    init(_ node: NodeReader) throws(SardonyxError) {
        axis = try node.int("axis", default: -1)
    }

    private func outputDims(_ indices: [Dim], depth: Dim, at place: some NodePlace) throws(SardonyxError) -> [Dim] {
        if let depth = depth.value, depth < 0 {
            throw place.error(.value, "depth", got: "\(depth)", allowed: "0 or more", hint: nil)
        }
        var dims = indices
        dims.insert(depth, at: try place.axis(axis, rank: indices.count + 1))
        return dims
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(2)
        let depth: Dim
        if let constant = try context.tensor(1) {
            depth = .known(try self.depth(TensorView(reading: constant), at: context))
        } else {
            depth = try context.content(1)?.first ?? .unknown
        }
        guard let indices = try context.shape(0) else { return [Inferred(dtype, nil)] }
        let output = try outputDims(indices.dims, depth: depth, at: context)
        _ = try context.product(output)
        return [Inferred(dtype, SymbolicShape(output))]
    }

    private func depth(_ view: TensorView, at place: some NodePlace) throws(SardonyxError) -> Int {
        var depth: Int64 = 0
        guard view.elementCount == 1 else {
            throw place.error(.shape, "depth", got: "\(view.elementCount) elements", allowed: "1", hint: nil)
        }
        try ElementCast(from: view.dtype, to: .int64, at: place).run(
            from: view.pointer, to: &depth, count: 1, threads: 1)
        return Int(depth)
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let indices = try context.input(0)
        let values = try context.input(2)
        guard values.elementCount == 2 else {
            throw context.error(.shape, "values", got: "\(values.shape)", allowed: "[2]: off, on")
        }
        let depth = try depth(try context.input(1), at: context)
        let dims = try outputDims(indices.shape.dims.map(Dim.known), depth: .known(depth), at: context)
        let axis = try context.axis(axis, rank: dims.count)
        let output = try context.output(0, dtype: values.dtype, shape: try context.shape(of: dims.compactMap(\.value)))
        output.fill(with: values.pointer, threads: context.threads)
        let inner = indices.shape.dims[axis...].reduce(1, *)
        try context.budget.check(indices.elementCount * 8, for: context.label)
        let whole = try Buffer(byteCount: indices.elementCount * 8)
        try ElementCast(from: indices.dtype, to: .int64, at: context)
            .run(from: indices.pointer, to: whole.pointer, count: indices.elementCount, threads: context.threads)
        let numbers = whole.pointer.assumingMemoryBound(to: Int64.self)
        try withStorageType(
            values.dtype,
            Mark(
                numbers: numbers, count: indices.elementCount, values: values, output: output, depth: depth,
                inner: inner))
        withExtendedLifetime(whole) {}
    }

    private struct Mark: StorageBody {
        let numbers: UnsafeMutablePointer<Int64>
        let count: Int
        let values: TensorView
        let output: TensorView
        let depth: Int
        let inner: Int

        func run<T>(_ type: T.Type) {
            let on = values.elements(T.self)[1]
            let target = output.elements(T.self)
            for element in 0..<count where numbers[element] >= Int64(-depth) && numbers[element] < Int64(depth) {
                let hot = Int(numbers[element]) + (numbers[element] < 0 ? depth : 0)
                target[(element / inner * depth + hot) * inner + element % inner] = on
            }
        }
    }
}
