import GraphIR
import TensorCore

/// One line of the operator table: a domain, a name and a range of opset versions, and how to make the operator.
package struct OperatorEntry: Sendable {
    package let domain: String
    package let name: String
    /// Versions of the domain that this implementation is right for.
    package let versions: ClosedRange<Int>
    package let make: @Sendable (NodeReader) throws(SardonyxError) -> any Operator

    /// An operator with a type of its own.
    static func op<Op: Operator>(
        _ name: String, _ versions: ClosedRange<Int>, _ type: Op.Type, domain: String = Domains.onnx
    ) -> OperatorEntry {
        OperatorEntry(domain: domain, name: name, versions: versions) { (node) throws(SardonyxError) in try Op(node) }
    }

    /// A row of a family: one type that serves several operators.
    static func row(
        _ name: String, _ versions: ClosedRange<Int>, domain: String = Domains.onnx,
        _ make: @escaping @Sendable (NodeReader) throws(SardonyxError) -> any Operator
    ) -> OperatorEntry {
        OperatorEntry(domain: domain, name: name, versions: versions, make: make)
    }
}

/// Every operator that Sardonyx can run, in alphabetical order.
package enum OperatorTable {
    /// The newest version of the default domain that the entries were written for.
    package static let newestOpset = 28

    package static let entries: [OperatorEntry] = [
        .op("Cast", 1...28, Cast.self),
        .op("CastLike", 15...28, Cast.self),
        .op("Concat", 1...28, Concat.self),
        .op("DepthToSpace", 1...28, DepthToSpace.self),
        .op("Dropout", 1...28, Identity.self),
        .op("Expand", 8...28, Expand.self),
        .op("Flatten", 1...28, Flatten.self),
        .op("Identity", 1...28, Identity.self),
        .op("Pad", 1...28, Pad.self),
        .op("Reshape", 1...28, Reshape.self),
        .op("ReverseSequence", 10...28, ReverseSequence.self),
        .op("Slice", 1...28, Slice.self),
        .op("SpaceToDepth", 1...28, DepthToSpace.self),
        .op("Split", 1...28, Split.self),
        .op("Squeeze", 1...28, Squeeze.self),
        .op("Tile", 1...28, Tile.self),
        .op("Transpose", 1...28, Transpose.self),
        .op("Trilu", 14...28, Trilu.self),
        .op("Unsqueeze", 1...28, Unsqueeze.self),
    ]

    private static let index: [String: [OperatorEntry]] = Dictionary(grouping: entries) { $0.domain + "\u{0}" + $0.name }

    package static func entry(domain: String, name: String, opset: Int) -> OperatorEntry? {
        index[domain + "\u{0}" + name]?.first { $0.versions.contains(opset) }
    }

    /// - Throws: `unsupported` for an operator that is not in the table, and what its `init` finds wrong.
    package static func makeOperator(for node: Node, opset: Int) throws(SardonyxError) -> any Operator {
        guard let entry = entry(domain: node.domain, name: node.opType, opset: opset) else {
            throw SardonyxError(
                .unsupported, node.label, "operator", got: "\(node.opType) of opset \(opset)",
                allowed: nearestNames(to: node.opType).joined(separator: ", "))
        }
        return try entry.make(NodeReader(node, opset: opset))
    }

    /// Names in the table that a user may have meant, nearest first.
    package static func nearestNames(to name: String) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        let ranked = Set(entries.map(\.name)).map { (name: $0, distance: editDistance(wanted, Array($0.lowercased().utf8))) }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for (row, x) in a.prefix(64).enumerated() {
            var current = [row + 1]
            for (column, y) in b.enumerated() {
                current.append(min(previous[column] + (x == y ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[b.count]
    }
}
