import TensorCore
import Testing

@testable import Detection

/// A graph of one picture input and these outputs.
func graph(
    _ picture: [Int?] = [1, 3, 64, 64], name: String = "input", outputs: [GraphSignature.Port],
    metadata: [String: String] = [:]
) -> GraphSignature {
    GraphSignature(inputs: [floats(name, picture)], outputs: outputs, metadata: metadata)
}

/// A float input or output.
func floats(_ name: String, _ extents: [Int?]?) -> GraphSignature.Port {
    GraphSignature.Port(name: name, dtype: .float32, extents: extents)
}

/// The surest proposal; every one is a card that its detector takes.
func best(_ graph: GraphSignature) throws -> CardProposal {
    let proposals = DetectorTable.proposals(for: graph)
    for proposal in proposals {
        _ = try DetectorTable.detector(for: proposal.card)
        #expect(!proposal.reasons.isEmpty)
    }
    return try #require(proposals.first)
}
