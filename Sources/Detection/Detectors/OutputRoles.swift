import TensorCore

/// The graph outputs that a detector reads, by the role that the card gives them.
struct OutputRoles: Sendable {
    private let outputs: [String: String]

    /// - Throws: `parse` for a role that is missing or unknown.
    init(_ card: ModelCard, required: [String], optional: [String] = []) throws(SardonyxError) {
        let allowed = required + optional
        if let unknown = card.outputs.keys.filter({ !allowed.contains($0) }).min() {
            throw .card("outputs.\(unknown)", "unknown role", allowed: allowed.joined(separator: ", "))
        }
        if let missing = required.first(where: { card.outputs[$0] == nil }) {
            throw .card("outputs.\(missing)", "missing role", allowed: allowed.joined(separator: ", "))
        }
        outputs = card.outputs
    }

    /// The strides S of a card's roles `prefix_S`, ascending; 8, 16 and 32 when it has none.
    static func strides(of prefix: String, in card: ModelCard) -> [Int] {
        let found = card.outputs.keys.compactMap { role -> Int? in
            guard role.hasPrefix(prefix + "_"), let stride = Int(role.dropFirst(prefix.count + 1)), stride >= 1,
                role == "\(prefix)_\(stride)"
            else { return nil }
            return stride
        }.sorted()
        return found.isEmpty ? [8, 16, 32] : found
    }

    static func names(_ prefix: String, _ strides: [Int]) -> [String] { strides.map { "\(prefix)_\($0)" } }

    var names: [String] { outputs.values.sorted() }

    func has(_ role: String) -> Bool { outputs[role] != nil }

    /// One picture's share of an output of floats.
    /// - Parameters:
    ///   - tensors: the graph's outputs by name; they must outlive what is returned.
    ///   - batchIndex: which picture of a leading batch axis; `nil` for outputs without one.
    ///   - rank: without the batch axis.
    /// - Throws: `input` naming the output that is missing or has another type or rank.
    func floats(
        _ role: String, of tensors: [String: Tensor], batchIndex: Int?, rank: Int
    ) throws(SardonyxError) -> HeadTensor {
        let (name, tensor) = try output(role, of: tensors)
        guard tensor.dtype == .float32 else {
            throw SardonyxError(.input, "output '\(name)'", "type", got: "\(tensor.dtype)", allowed: "float32")
        }
        return try HeadTensor(tensor, name: name, batchIndex: batchIndex, rank: rank)
    }

    /// - Throws: `input` when the first axes, the batch, of these roles' outputs differ.
    func expectOneBatch(_ roles: [String], of tensors: [String: Tensor]) throws(SardonyxError) {
        var first: (name: String, extent: Int)?
        for role in roles {
            let (name, tensor) = try output(role, of: tensors)
            guard let extent = tensor.shape.dims.first else { continue }
            if let first, first.extent != extent {
                throw SardonyxError(
                    .input, "output '\(name)'", "pictures of the batch", got: "\(extent)",
                    allowed: "\(first.extent), as output '\(first.name)' has")
            }
            first = (name, extent)
        }
    }

    /// The output itself, for example of whole numbers.
    /// - Throws: `input` when it is missing.
    func output(_ role: String, of tensors: [String: Tensor]) throws(SardonyxError) -> (name: String, tensor: Tensor) {
        let name = outputs[role] ?? role
        guard let tensor = tensors[name] else {
            throw SardonyxError(
                .input, "output '\(name)'", "missing", got: tensors.keys.sorted().joined(separator: ", "))
        }
        return (name, tensor)
    }
}

/// One picture's share of a float output, checked; the address is valid while the tensor lives.
struct HeadTensor {
    let name: String
    /// Without the batch axis.
    let dims: [Int]
    let values: UnsafePointer<Float>

    /// - Parameters:
    ///   - tensor: float32.
    ///   - batchIndex: which picture of a leading batch axis; `nil` without one.
    ///   - rank: without the batch axis.
    /// - Throws: `input` for another rank or a batch without that picture.
    init(_ tensor: Tensor, name: String, batchIndex: Int?, rank: Int) throws(SardonyxError) {
        let share = try HeadTensor.share(of: tensor, name: name, batchIndex: batchIndex, rank: rank)
        self.name = name
        dims = share.dims
        values = UnsafePointer(tensor.pointer.assumingMemoryBound(to: Float.self)) + share.offset
    }

    /// One picture's share of any output: its extents and its first element.
    /// - Throws: as `init`.
    static func share(
        of tensor: Tensor, name: String, batchIndex: Int?, rank: Int
    ) throws(SardonyxError) -> (dims: [Int], offset: Int) {
        let axes = batchIndex == nil ? rank : rank + 1
        guard tensor.shape.rank == axes else {
            throw SardonyxError(.input, "output '\(name)'", "rank", got: "\(tensor.shape)", allowed: "rank \(axes)")
        }
        guard let batchIndex else { return (tensor.shape.dims, 0) }
        let batch = tensor.shape[0]
        guard batchIndex >= 0, batchIndex < batch else {
            throw SardonyxError(.input, "batch index", "out of range", got: "\(batchIndex)", allowed: "0..<\(batch)")
        }
        return (Array(tensor.shape.dims.dropFirst()), batchIndex * (tensor.shape.elementCount / batch))
    }

    /// - Parameter wanted: `nil` allows any extent.
    /// - Throws: `input` for other extents.
    func expect(_ wanted: [Int?]) throws(SardonyxError) {
        guard zip(dims, wanted).allSatisfy({ $1 == nil || $0 == $1 }) else {
            throw SardonyxError(
                .input, "output '\(name)'", "shape of a picture's share", got: "\(dims)",
                allowed: "[" + wanted.map { $0.map(String.init) ?? "any" }.joined(separator: ", ") + "]")
        }
    }

    /// - Throws: `input` when an extent is zero.
    func expectNotEmpty() throws(SardonyxError) {
        guard !dims.contains(0) else { throw SardonyxError(.input, "output '\(name)'", "empty", got: "\(dims)") }
    }
}
