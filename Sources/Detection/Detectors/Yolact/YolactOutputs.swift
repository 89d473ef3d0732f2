import TensorCore

/// One picture's share of the five heads, checked; the addresses are valid while the tensors live.
struct YolactOutputs {
    static let roles = ["loc", "conf", "mask", "priors", "proto"]

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

    /// - Throws: `input` naming the output that is missing or does not fit the others.
    init(
        _ outputs: [String: Tensor], _ roles: OutputRoles, batchIndex: Int, classes: Int
    ) throws(SardonyxError) {
        func head(_ role: String, rank: Int) throws(SardonyxError) -> HeadTensor {
            try roles.floats(role, of: outputs, batchIndex: batchIndex, rank: rank)
        }
        try roles.expectOneBatch(["loc", "conf", "mask", "proto"], of: outputs)
        let loc = try head("loc", rank: 2)
        let proto = try head("proto", rank: 3)
        try proto.expectNotEmpty()
        let conf = try head("conf", rank: 2)
        let mask = try head("mask", rank: 2)
        let priors = try roles.floats("priors", of: outputs, batchIndex: nil, rank: 2)
        priorCount = loc.dims[0]
        prototypes = proto.dims[2]
        try loc.expect([priorCount, 4])
        try conf.expect([priorCount, classes + 1])
        try mask.expect([priorCount, prototypes])
        try priors.expect([priorCount, 4])
        (self.loc, self.conf, self.mask) = (loc.values, conf.values, mask.values)
        (self.priors, self.proto) = (priors.values, proto.values)
        self.classes = classes
        (protoHeight, protoWidth) = (proto.dims[0], proto.dims[1])
    }
}
