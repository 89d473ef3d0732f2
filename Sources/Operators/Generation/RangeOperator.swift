import GraphIR
import TensorCore

/// ONNX Range (11-27): `start`, `start + delta`, … before `limit`.
struct RangeOperator: Operator {
    static let elementTypes: [DType] = DType.numeric
    init(_ node: NodeReader) throws(SardonyxError) {}

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let dtype = try context.dtype(0)
        for index in 1...2 { try context.requireDType(index, [dtype], "input \(index)") }
        if let start = try context.tensor(0), let limit = try context.tensor(1), let delta = try context.tensor(2) {
            let count = try Self.count([start, limit, delta].map(TensorView.init(reading:)), at: context)
            let content = count <= Inferred.contentLimit ? try numbers(context, count) : nil
            return [Inferred.following(dtype, [.known(count)], content)]
        }
        // Counting up to an extent from zero makes as many elements.
        if try context.content(0) == [.known(0)], try context.content(2) == [.known(1)],
            let limit = try context.content(1), limit.count == 1
        {
            return [Inferred(dtype, [limit[0]])]
        }
        return [Inferred(dtype, [.unknown])]
    }

    private func numbers(_ context: InferContext, _ count: Int) throws(SardonyxError) -> [Dim]? {
        guard let start = try context.integers(0)?.first, let delta = try context.integers(2)?.first else { return nil }
        return (0..<count).map { .known(start &+ $0 &* delta) }
    }

    private static func count(_ inputs: [TensorView], at place: some NodePlace) throws(SardonyxError) -> Int {
        for (index, view) in inputs.enumerated() where view.elementCount != 1 {
            throw place.error(.shape, "input \(index)", got: "\(view.shape)", allowed: "one element", hint: nil)
        }
        let count: Int?
        let delta: String
        if inputs[0].dtype.isInteger {
            let numbers = try inputs.map { (view) throws(SardonyxError) in
                try withIntegerType(view.dtype, Whole(view: view))
            }
            delta = "\(numbers[2])"
            let distance = numbers[2] > 0 ? numbers[1] - numbers[0] : numbers[0] - numbers[1]
            count =
                numbers[2] == 0
                ? nil : distance <= 0 ? 0 : Int(exactly: (distance - 1) / Int128(numbers[2].magnitude) + 1)
        } else {
            let numbers = try inputs.map { (view) throws(SardonyxError) in try double(view, at: place) }
            delta = "\(numbers[2])"
            let steps = ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up)
            count = numbers[2] == 0 ? nil : CheckedSize.integer(max(steps, 0))
        }
        guard let count else {
            throw place.error(
                .value, "delta \(delta) from start to limit", got: "no finite number of steps", allowed: "a finite one",
                hint: nil)
        }
        return try place.shape(of: [count]).elementCount
    }

    private static func double(_ view: TensorView, at place: some NodePlace) throws(SardonyxError) -> Double {
        var number = 0.0
        try ElementCast(from: view.dtype, to: .float64, at: place).run(
            from: view.pointer, to: &number, count: 1, threads: 1)
        return number
    }

    private struct Whole: IntegerBody {
        let view: TensorView
        func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) -> Int128 { Int128(view.elements(T.self)[0]) }
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let inputs = [try context.input(0), try context.input(1), try context.input(2)]
        let count = try Self.count(inputs, at: context)
        let output = try context.output(0, dtype: inputs[0].dtype, shape: try context.shape(of: [count]))
        guard output.dtype.isFloatingPoint else {
            return try withIntegerType(output.dtype, Steps(start: inputs[0], delta: inputs[2], output: output))
        }
        // Each element from its number, in float64: adding up steps would add up their rounding.
        let (start, delta) = (try Self.double(inputs[0], at: context), try Self.double(inputs[2], at: context))
        try context.fillInParallel(output) { elements, type in
            output.set(elements, type) { start + Double($0) * delta }
        }
    }

    private struct Steps: IntegerBody {
        let start: TensorView
        let delta: TensorView
        let output: TensorView

        func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) {
            let target = output.elements(T.self)
            let step = delta.elements(T.self)[0]
            var value = start.elements(T.self)[0]
            for index in target.indices {
                target[index] = value
                value &+= step
            }
        }
    }
}
