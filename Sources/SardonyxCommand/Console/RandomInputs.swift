import Sardonyx

/// Inputs for models that are run without data: reproducible by seed.
struct RandomInputs {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// One tensor for each input: floats uniform in [0, 1), integers 0 or 1, bools alike.
    /// - Parameter shapes: of inputs whose extents the model leaves open; others may be given, too.
    /// - Throws: `usage` when an open extent was not given or a name is wrong, `unsupported` for other types.
    func tensors(for inputs: [Signature], shapes: [String: [Int]]) throws(SardonyxError) -> [String: Tensor] {
        if let unknown = shapes.keys.sorted().first(where: { name in !inputs.contains { $0.name == name } }) {
            throw SardonyxError(
                .usage, "--shape", "no such input", got: "'\(unknown)'",
                allowed: inputs.map(\.name).joined(separator: ", "))
        }
        var generator = self
        var tensors: [String: Tensor] = [:]
        for input in inputs {
            let dims = if let given = shapes[input.name] { given } else { try Self.fixedDims(input) }
            tensors[input.name] = try generator.tensor(input, try Shape(dims))
        }
        return tensors
    }

    private static func fixedDims(_ input: Signature) throws(SardonyxError) -> [Int] {
        var dims: [Int] = []
        for extent in input.extents ?? [.unknown] {
            guard case .fixed(let value) = extent else {
                throw SardonyxError(
                    .usage, "--shape", "the model leaves the shape of this input open", got: input.description,
                    hint: "Give it, for example --shape \(input.name)=1x3x224x224")
            }
            dims.append(value)
        }
        return dims
    }

    private mutating func tensor(_ input: Signature, _ shape: Shape) throws(SardonyxError) -> Tensor {
        let dims = shape.dims
        let count = shape.elementCount
        guard count <= 1 << 32 else {
            throw SardonyxError(.limit, input.name, "random input", got: "\(count) elements", allowed: "2^32")
        }
        switch input.dtype {
        case .float32: return try Tensor((0..<count).map { _ in Float(uniform()) }, dims: dims)
        case .float64: return try Tensor((0..<count).map { _ in uniform() }, dims: dims)
        case .float16: return try Tensor((0..<count).map { _ in Float16(uniform()) }, dims: dims)
        case .int64: return try Tensor((0..<count).map { _ in Int64(next() & 1) }, dims: dims)
        case .int32: return try Tensor((0..<count).map { _ in Int32(next() & 1) }, dims: dims)
        case .uint8: return try Tensor((0..<count).map { _ in UInt8(next() & 1) }, dims: dims)
        case .int8: return try Tensor((0..<count).map { _ in Int8(next() & 1) }, dims: dims)
        case .bool: return try Tensor((0..<count).map { _ in next() & 1 == 1 }, dims: dims)
        default:
            throw SardonyxError(
                .unsupported, input.name, "no random numbers of this type", got: input.description, hint: "Give --input"
            )
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
