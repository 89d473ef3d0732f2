import GraphIR
import TensorCore

extension NodeReader {
    /// The attribute `seed` of the random operators, a float; `nil` when it is absent: every run draws its own.
    func randomSeed() throws(SardonyxError) -> UInt32? {
        try float("seed").map { seed in UInt32(exactly: seed.rounded(.towardZero)) ?? seed.bitPattern }
    }

    /// The attribute `dtype`.
    /// - Throws: `unsupported` when it is not one of the types allowed.
    func outputType(_ allowed: [DType]) throws(SardonyxError) -> DType? {
        guard let dtype = try dtype("dtype") else { return nil }
        guard allowed.contains(dtype) else {
            throw error(
                .unsupported, "attribute dtype", got: "\(dtype)",
                allowed: allowed.map(\.description).joined(separator: ", "))
        }
        return dtype
    }
}
