import GraphIR
import Sardonyx

/// Inputs for models that are run without data: reproducible by seed.
struct RandomInputs {
    private var state: UInt64
    private let byteLimit: Int
    private let option: String

    /// - Parameters:
    ///   - byteLimit: the most bytes that all tensors may take together.
    ///   - option: that gives shapes, for messages.
    init(seed: UInt64, byteLimit: Int, option: String = "--shape") {
        self.state = seed
        self.byteLimit = byteLimit
        self.option = option
    }

    /// One tensor for each input: floats uniform in [0, 1), integers 0 or 1, bools alike.
    /// - Parameter shapes: of inputs whose extents the model leaves open; others may be given, too.
    /// - Throws: `usage` when an open extent was not given or a name is wrong, `unsupported` for other types,
    ///   `limit` for more bytes than allowed.
    func tensors(for inputs: [Signature], shapes: [Name: [Int]]) throws(SardonyxError) -> [Name: Tensor] {
        let names = Set(inputs.map { Name($0.name) })
        if let unknown = shapes.keys.filter({ !names.contains($0) }).map(\.description).min() {
            throw SardonyxError(
                .usage, option, "no such input", got: "'\(unknown)'",
                allowed: inputs.map(\.name).joined(separator: ", "))
        }
        var generator = self
        var tensors: [Name: Tensor] = [:]
        var byteCount = 0
        for input in inputs {
            let dims = if let given = shapes[Name(input.name)] { given } else { try fixedDims(input) }
            let shape = try Self.shape(dims, of: input)
            byteCount += shape.elementCount * (input.dtype?.byteSize ?? 0)
            guard byteCount <= byteLimit else {
                throw SardonyxError(
                    .limit, input.name, "memory for random inputs", got: "\(byteCount) bytes",
                    allowed: "\(byteLimit) bytes in all", hint: "Raise it with --memory")
            }
            tensors[Name(input.name)] = try generator.tensor(input, shape)
        }
        return tensors
    }

    private func fixedDims(_ input: Signature) throws(SardonyxError) -> [Int] {
        var dims: [Int] = []
        for extent in input.extents ?? [.unknown] {
            guard case .fixed(let value) = extent else {
                throw SardonyxError(
                    .usage, option, "the model leaves the shape of this input open", got: input.description,
                    hint: "Give it, for example \(option) \(input.name)=\(Self.example(input))")
            }
            dims.append(value)
        }
        return dims
    }

    /// A shape that fits: what is fixed stays, the first of other extents of two or more is 1.
    private static func example(_ input: Signature) -> String {
        guard let extents = input.extents, !extents.isEmpty else { return "1x3x224x224" }
        return extents.enumerated().map { index, extent in
            if case .fixed(let value) = extent { "\(value)" } else { index == 0 && extents.count > 1 ? "1" : "224" }
        }.joined(separator: "x")
    }

    private static func shape(_ dims: [Int], of input: Signature) throws(SardonyxError) -> Shape {
        do { return try Shape(dims) } catch { throw error.placed(at: input.name) }
    }

    private mutating func tensor(_ input: Signature, _ shape: Shape) throws(SardonyxError) -> Tensor {
        switch input.dtype {
        case .float32: return try filled(shape) { Float($0.uniform()) }
        case .float64: return try filled(shape) { $0.uniform() }
        case .float16: return try filled(shape) { Float16($0.uniform()) }
        case .int64: return try filled(shape) { Int64($0.next() & 1) }
        case .int32: return try filled(shape) { Int32($0.next() & 1) }
        case .uint8: return try filled(shape) { UInt8($0.next() & 1) }
        case .int8: return try filled(shape) { Int8($0.next() & 1) }
        case .bool: return try filled(shape) { $0.next() & 1 == 1 }
        default:
            throw SardonyxError(
                .unsupported, input.name, "no random numbers of this type", got: input.description, hint: "Give --input"
            )
        }
    }

    private mutating func filled<Element: TensorElement>(
        _ shape: Shape, _ element: (inout RandomInputs) -> Element
    ) throws(SardonyxError) -> Tensor {
        var generator = self
        defer { self = generator }
        return try Tensor(dtype: Element.dtype, shape: shape) { (memory) throws(SardonyxError) in
            let elements = memory.assumingMemoryBound(to: Element.self)
            for index in 0..<shape.elementCount { elements[index] = element(&generator) }
        }
    }

    /// In [0, 1), with 24 bits so that it is exact in float32.
    private mutating func uniform() -> Double { Double(next() >> 40) / Double(1 << 24) }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
