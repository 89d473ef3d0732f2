import Glibc
import Testing

@testable import Sardonyx

/// The ONNX backend cases below the directory `SARDONYX_ONNX_CASES`, in the standard layout.
@Suite struct NodeCasesTests {
    static let root = getenv("SARDONYX_ONNX_CASES").map { String(cString: $0) }

    @Test(.enabled(if: root != nil), arguments: ConformanceCase.Engine.allCases)
    func nothingFails(engine: ConformanceCase.Engine) throws {
        let root = try #require(Self.root)
        for item in ConformanceCase.cases(below: root) {
            if case .failed(let reason) = item.run(engine) {
                Issue.record("\(item.name) (\(engine.rawValue)): \(reason)")
            }
        }
    }
}
