import GraphIR
import TensorCore

/// ONNX Where (9-16): elements of input 1 where the condition holds, else of input 2; all broadcast.
struct Where: PlannedOperator {
    static let elementTypes: [DType] = [.bool]
    var plan: BroadcastWalk?

    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(1)
        try context.requireDType(2, [dtype], "input 2")
        let shape = try Broadcast.shape(
            [try context.shape(0), try context.shape(1), try context.shape(2)], at: context)
        return [Inferred.following(dtype, shape, try chosen(context))]
    }

    private func chosen(_ context: InferContext) throws(SardonyxError) -> [Dim]? {
        guard let condition = try condition(context), let x = try context.content(1), let y = try context.content(2)
        else { return nil }
        let count = [condition.count, x.count, y.count].max() ?? 0
        guard [condition.count, x.count, y.count].allSatisfy({ $0 == count || $0 == 1 }) else { return nil }
        return (0..<count).map { index in
            (condition[condition.count == 1 ? 0 : index] ? x[x.count == 1 ? 0 : index] : y[y.count == 1 ? 0 : index])
        }
    }

    private func condition(_ context: InferContext) throws(SardonyxError) -> [Bool]? {
        if let content = try context.content(0) {
            let known = content.compactMap(\.value)
            return known.count == content.count ? known.map { $0 != 0 } : nil
        }
        guard let tensor = try context.tensor(0), tensor.shape.rank <= 1,
            tensor.shape.elementCount <= Inferred.contentLimit
        else { return nil }
        return Array(tensor.elements(of: Bool.self))
    }

    func makePlan(_ operands: some OperandSource) throws(SardonyxError) -> BroadcastWalk {
        try BroadcastWalk(
            [try operands.operand(0).shape, try operands.operand(1).shape, try operands.operand(2).shape], at: operands)
    }

    func run(_ plan: BroadcastWalk, _ context: RunContext) throws(SardonyxError) {
        let x = try context.input(1)
        let output = try context.output(0, dtype: x.dtype, shape: plan.output)
        let body = Body(walk: plan, condition: try context.input(0), x: x, y: try context.input(2), output: output)
        try withStorageType(x.dtype, body)
    }

    private struct Body: StorageBody {
        let walk: BroadcastWalk
        let condition: TensorView
        let x: TensorView
        let y: TensorView
        let output: TensorView

        func run<T>(_ type: T.Type) {
            let flags = condition.pointer.assumingMemoryBound(to: Bool.self)
            let (a, b) = (x.pointer.assumingMemoryBound(to: T.self), y.pointer.assumingMemoryBound(to: T.self))
            let target = output.pointer.assumingMemoryBound(to: T.self)
            let (steps, count) = (walk.steps, walk.count)
            walk.forEachRow { first, offsets in
                let (row, flags) = (target + first, flags + offsets[0])
                let (a, b) = (a + offsets[1], b + offsets[2])
                // Both are read before the choice, so that it needs no branch.
                if steps[0] == 1, steps[1] == 1, steps[2] == 1 {
                    for index in 0..<count {
                        let (x, y) = (a[index], b[index])
                        row[index] = flags[index] ? x : y
                    }
                } else {
                    for index in 0..<count {
                        let (x, y) = (a[index * steps[1]], b[index * steps[2]])
                        row[index] = flags[index * steps[0]] ? x : y
                    }
                }
            }
        }
    }
}
