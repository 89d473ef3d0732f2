import GraphIR
import TensorCore

/// An operator whose output is its first input under another shape: the same elements in the same order.
protocol ViewingOperator: Operator {
    /// The input that holds the target shape or the axes, when the operator has one.
    var parameterInput: Int? { get }
    /// The output's extents from those of the input and from the parameter's elements; `parameter` is `nil` when the
    /// input that would hold it is absent. `nil` when not even the rank can be said.
    func outputDims(_ input: [Dim], parameter: [Dim]?, at place: some NodePlace) throws(SardonyxError) -> [Dim]?
    /// The output's rank when only the number of the parameter's elements is known.
    func outputRank(input: Int?, parameterCount: Int) -> Int?
}

extension ViewingOperator {
    package func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        let input = try context.shape(0)
        let index = parameterInput.flatMap { context.hasInput($0) ? $0 : nil }
        let parameter: [Dim]?
        if let index {
            try context.requireRank(index, 0...1, "input \(index)")
            parameter = try context.content(index)
        } else {
            parameter = nil
        }
        let output: SymbolicShape?
        if let input, index == nil || parameter != nil {
            let dims = try outputDims(input.dims, parameter: parameter, at: context)
            _ = try context.product(dims ?? [])
            output = dims.map { SymbolicShape($0) }
        } else if let index, let count = try context.length(index),
            let rank = outputRank(input: input?.rank, parameterCount: count)
        {
            output = SymbolicShape([Dim](repeating: .unknown, count: rank))
        } else {
            output = nil
        }
        return [Inferred.following(dtype, output, try context.content(0))]
    }

    package var preparedInputs: [Int] { parameterInput.map { [$0] } ?? [] }

    package func memoryRelation(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> MemoryRelation { .view(input: 0) }

    package func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        if !context.hasOutput(0) {
            let parameter = try parameterInput.flatMap { (index) throws(SardonyxError) in try context.integers(index) }
            let dims = try outputDims(
                input.shape.dims.map(Dim.known), parameter: parameter?.map(Dim.known), at: context)
            _ = try context.allocate(
                0, dtype: input.dtype, shape: try context.shape(of: (dims ?? []).compactMap(\.value)))
        }
        var source = input
        source.shape = try context.output(0).shape
        try source.copyElements(to: try context.output(0), threads: context.threads)
    }
}
