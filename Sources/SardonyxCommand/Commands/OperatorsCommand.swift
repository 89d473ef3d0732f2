import ArgumentParser
import Sardonyx
import TensorCore

struct OperatorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operators",
        abstract: "List the operators that models may use, with versions and element types.",
        discussion: """
            Versions are those of the domain's operator set, element types those of the first input. What a model lacks
            is said by 'sardonyx inspect'.

            Examples:
              sardonyx operators
              sardonyx operators resize pool
              sardonyx operators --domain com.microsoft --json
            """)

    @Argument(help: "Show only operators whose names contain one of these, in any case.") var names: [String] = []
    @Option(help: "Show only operators of this domain, as in ai.onnx.ml.") var domain: String?
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let domains = Set(OperatorSupport.all.map(\.domain)).sorted()
        if let domain, !domains.contains(domain) {
            throw SardonyxError(
                .usage, "--domain", "unknown", got: "'\(domain)'", allowed: domains.joined(separator: ", "))
        }
        let wanted = names.map { $0.lowercased() }
        let found = OperatorSupport.all.filter { entry in
            let name = entry.name.lowercased()
            return (domain ?? entry.domain) == entry.domain && (wanted.isEmpty || wanted.contains { name.contains($0) })
        }
        if json { return try Console.printJSON(found) }
        guard !found.isEmpty else { return Console.print("No operator has such a name.") }
        var table = TextTable([("operator", .left), ("versions", .left), ("element types", .left)])
        for entry in found {
            let name = entry.domain == "ai.onnx" ? entry.name : "\(entry.domain).\(entry.name)"
            table.add(name, "\(entry.firstVersion)-\(entry.lastVersion)", Self.short(entry.elementTypes))
        }
        Console.print(table.render(indent: ""))
        Console.print("\n\(found.count) of \(OperatorSupport.all.count) operators")
    }

    /// Whole families by one word.
    private static func short(_ types: [String]) -> String {
        if types.count == DType.allCases.count { return "all" }
        let families: [(name: String, members: [String])] = [
            ("int8-64, uint8-64", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]),
            ("float16-64, bfloat16", ["float16", "float32", "float64", "bfloat16"]),
        ]
        var (left, words) = (types, [String]())
        for family in families where family.members.allSatisfy(left.contains) {
            words.append(family.name)
            left.removeAll(where: family.members.contains)
        }
        return (words + left).joined(separator: ", ")
    }
}
