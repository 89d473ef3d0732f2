import GraphIR
import TensorCore

/// The newest versions of the format and of the standard's operator sets that this importer was written for.
///
/// Which operators can run is the operator table's matter; sets of other domains have no limit here.
package enum SupportedVersions {
    package static let irVersion = 14
    package static let operatorSets: [String: Int] = [
        Domains.onnx: 28,
        "ai.onnx.ml": 5,
        "ai.onnx.preview": 1,
        "ai.onnx.preview.training": 1,
    ]

    /// - Throws: `unsupported` with what the model states and the highest known.
    static func check(irVersion: Int64, opsets: [String: Int], place: String) throws(SardonyxError) {
        guard irVersion <= SupportedVersions.irVersion else {
            throw SardonyxError(
                .unsupported, place, "IR version", got: "\(irVersion)",
                allowed: "at most \(SupportedVersions.irVersion)")
        }
        for (domain, version) in opsets.sorted(by: { $0.key < $1.key }) {
            guard let highest = operatorSets[domain], version > highest else { continue }
            throw SardonyxError(
                .unsupported, place, "operator set version of \(domain.isEmpty ? "ai.onnx" : domain)",
                got: "\(version)",
                allowed: "at most \(highest)")
        }
    }
}
