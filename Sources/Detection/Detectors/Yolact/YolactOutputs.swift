import TensorCore

/// One picture's share of the five heads, checked; the addresses are valid while the tensors live.
struct YolactOutputs {
    let loc: UnsafePointer<Float>
    let conf: UnsafePointer<Float>
    let mask: UnsafePointer<Float>
    let priors: UnsafePointer<Float>
    let proto: UnsafePointer<Float>
    let priorCount: Int
    let classes: Int
    /// K, of `mask` and `proto`.
    let prototypes: Int
    let protoHeight: Int
    let protoWidth: Int

    /// Graph output name by role.
    struct Names: Sendable {
        let loc, conf, mask, priors, proto: String

        var all: [String] { [loc, conf, mask, priors, proto] }

        static let roles = ["loc", "conf", "mask", "priors", "proto"]

        /// - Throws: `parse` for a missing or unknown role.
        init(_ card: ModelCard) throws(SardonyxError) {
            let allowed = Self.roles.joined(separator: ", ")
            if let unknown = card.outputs.keys.filter({ !Self.roles.contains($0) }).min() {
                throw .card("outputs.\(unknown)", "unknown role", allowed: allowed)
            }
            func name(_ role: String) throws(SardonyxError) -> String {
                guard let name = card.outputs[role] else {
                    throw .card("outputs.\(role)", "missing role", allowed: allowed)
                }
                return name
            }
            loc = try name("loc")
            conf = try name("conf")
            mask = try name("mask")
            priors = try name("priors")
            proto = try name("proto")
        }
    }

    /// - Throws: `input` naming the output that is missing or does not fit the others.
    init(_ outputs: [String: Tensor], _ names: Names, batchIndex: Int, classes: Int) throws(SardonyxError) {
        let loc = try Self.output(names.loc, outputs, rank: 3)
        let (batch, count) = (loc.shape[0], loc.shape[1])
        guard batch > batchIndex, batchIndex >= 0 else {
            throw SardonyxError(.input, "batch index", "out of range", got: "\(batchIndex)", allowed: "0..<\(batch)")
        }
        let proto = try Self.output(names.proto, outputs, rank: 4)
        let prototypes = proto.shape[3]
        for axis in 1...3 where proto.shape[axis] == 0 {
            throw SardonyxError(.input, "output '\(names.proto)'", "empty", got: "\(proto.shape)")
        }
        let conf = try Self.output(names.conf, outputs, rank: 3)
        let mask = try Self.output(names.mask, outputs, rank: 3)
        let priors = try Self.output(names.priors, outputs, rank: 2)
        try Self.expect(loc, names.loc, [batch, count, 4])
        try Self.expect(conf, names.conf, [batch, count, classes + 1])
        try Self.expect(mask, names.mask, [batch, count, prototypes])
        try Self.expect(priors, names.priors, [count, 4])
        try Self.expect(proto, names.proto, [batch, proto.shape[1], proto.shape[2], prototypes])

        self.loc = Self.share(loc, batchIndex)
        self.conf = Self.share(conf, batchIndex)
        self.mask = Self.share(mask, batchIndex)
        self.priors = Self.share(priors, 0)
        self.proto = Self.share(proto, batchIndex)
        self.priorCount = count
        self.classes = classes
        self.prototypes = prototypes
        self.protoHeight = proto.shape[1]
        self.protoWidth = proto.shape[2]
    }

    private static func output(
        _ name: String, _ outputs: [String: Tensor], rank: Int
    ) throws(SardonyxError) -> Tensor {
        guard let tensor = outputs[name] else {
            throw SardonyxError(
                .input, "output '\(name)'", "missing", got: outputs.keys.sorted().joined(separator: ", "))
        }
        guard tensor.dtype == .float32 else {
            throw SardonyxError(.input, "output '\(name)'", "type", got: "\(tensor.dtype)", allowed: "float32")
        }
        guard tensor.shape.rank == rank else {
            throw SardonyxError(.input, "output '\(name)'", "rank", got: "\(tensor.shape)", allowed: "rank \(rank)")
        }
        return tensor
    }

    private static func expect(_ tensor: Tensor, _ name: String, _ dims: [Int]) throws(SardonyxError) {
        guard tensor.shape.dims == dims else {
            throw SardonyxError(.input, "output '\(name)'", "shape", got: "\(tensor.shape)", allowed: "\(dims)")
        }
    }

    private static func share(_ tensor: Tensor, _ index: Int) -> UnsafePointer<Float> {
        let each = tensor.shape.rank == 2 ? 0 : tensor.shape.elementCount / Swift.max(tensor.shape[0], 1)
        return tensor.pointer.assumingMemoryBound(to: Float.self) + index * each
    }
}
