import Sardonyx

/// What `sardonyx test` found, as it is printed and written.
struct ConformanceReport: Encodable {
    /// Of one case.
    struct Result: Encodable {
        enum Status: String, Encodable, CaseIterable { case passed, failed, unsupported }
        var name: String
        /// The folders between the root and the case: `node`, `simple` …
        var kind: String
        var status: Status
        /// By engine, of those that did not pass.
        var reasons: [String: String]

        init(
            _ item: ConformanceCase, below root: String, _ outcomes: [ConformanceCase.Engine: ConformanceCase.Outcome]
        ) {
            name = item.name
            let parts = item.directory.dropFirst(root.count).split(separator: "/").dropLast()
            kind = parts.joined(separator: "/")
            status = .passed
            reasons = [:]
            for (engine, outcome) in outcomes {
                switch outcome {
                case .passed: continue
                case .unsupported(let reason):
                    if status == .passed { status = .unsupported }
                    reasons[engine.rawValue] = reason
                case .failed(let reason):
                    status = .failed
                    reasons[engine.rawValue] = reason
                }
            }
        }
    }

    var total: Int
    var passed: Int
    var results: [Result]

    init(results: [Result]) {
        self.results = results
        total = results.count
        passed = results.count { $0.status == .passed }
    }

    /// A table by kind, after the cases that did not pass.
    func text(all: Bool) -> String {
        var lines: [String] = []
        for result in results where all || result.status != .passed {
            lines.append("\(result.status.rawValue)  \(result.name)")
            let reasons = Dictionary(grouping: result.reasons.sorted { $0.key < $1.key }, by: \.value)
            for (reason, engines) in reasons.sorted(by: { $0.key < $1.key }) {
                lines.append("    \(engines.map(\.key).joined(separator: ", ")): \(reason)")
            }
        }
        var table = TextTable([("cases", .left)] + ["passed", "failed", "unsupported", "total"].map { ($0, .right) })
        let kinds = Dictionary(grouping: results, by: \.kind).sorted { $0.key < $1.key }
        for (kind, results) in kinds where kinds.count > 1 { table.add([kind] + Self.counts(results)) }
        table.add(["all"] + Self.counts(results))
        return (lines + [table.render(indent: "")]).joined(separator: "\n")
    }

    private static func counts(_ results: [Result]) -> [String] {
        let byStatus = Result.Status.allCases.map { status in results.count { $0.status == status } }
        return (byStatus + [results.count]).map(String.init)
    }
}
