import GraphIR
import Operators

/// An operator that Sardonyx runs: what models may use.
public struct OperatorSupport: Sendable, Codable, Hashable {
    /// `ai.onnx` for the standard's operators.
    public let domain: String
    public let name: String
    /// The first and the last version of the domain's operator set whose meaning of it is implemented.
    public let firstVersion, lastVersion: Int
    /// Element types that the first input may have where it is a tensor, by their ONNX names.
    public let elementTypes: [String]
    /// Name of the Swift type in `Sources/Operators`.
    public let implementation: String

    /// Every operator, by domain and name; those that only graph passes make are left out.
    public static let all: [OperatorSupport] = OperatorTable.entries
        .filter { $0.domain != Domains.internal }
        .map { entry in
            OperatorSupport(
                domain: entry.domain.isEmpty ? "ai.onnx" : entry.domain, name: entry.name,
                firstVersion: entry.versions.lowerBound, lastVersion: entry.versions.upperBound,
                elementTypes: entry.elementTypes.map(\.description), implementation: entry.implementation)
        }
        .sorted { ($0.domain, $0.name, $0.firstVersion) < ($1.domain, $1.name, $1.firstVersion) }
}
