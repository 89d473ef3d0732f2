import GraphIR
import Operators
import TensorCore

/// A constant that nodes read, with what its numbers look like.
public struct ModelWeight: Sendable, Encodable {
    public let name: String
    /// For example `Conv 'layer1.0.conv1'`; those in bodies after the nodes that the bodies belong to.
    public let readers: [String]
    public let byteCount: Int
    /// `nil` where the contents cannot be read.
    public let report: WeightReport?
    /// What is unusual about the numbers, or why they cannot be read.
    public let warnings: [String]
}

extension Model {
    /// All constants that nodes read, bodies and functions included, in the order of their first readers. Each is read
    /// from the file once or twice and let go.
    /// - Parameter progress: told how many of how many have been looked at.
    public func weights(progress: (Int, Int) -> Void = { _, _ in }) -> [ModelWeight] {
        var found = WeightUses()
        found.add(content.graph, path: "")
        for function in content.functions {
            found.add(function.body, path: "function \(function.name) › ")
        }
        return found.uses.enumerated().map { index, use in
            progress(index, found.uses.count)
            return ModelWeight(use)
        }
    }
}

/// Constants and who reads them.
private struct WeightUses {
    struct Use {
        let name: String
        let constant: Constant
        var readers: [String]
    }
    private(set) var uses: [Use] = []
    private var places: [ObjectIdentifier: Int] = [:]

    mutating func add(_ graph: Graph, path: String) {
        let contents = graph.constantContents
        let made = GraphReportBuilder.constantNodes(of: graph)
        for (index, node) in graph.nodes.enumerated() where made[index] == nil {
            for case let input? in node.inputs {
                guard let constant = contents[input] else { continue }
                if let place = places[ObjectIdentifier(constant)] {
                    if uses[place].readers.last != path + node.label { uses[place].readers.append(path + node.label) }
                } else {
                    places[ObjectIdentifier(constant)] = uses.count
                    uses.append(
                        Use(name: graph[input].name.description, constant: constant, readers: [path + node.label]))
                }
            }
            for attribute in node.attributes.sorted(by: { $0.key < $1.key }) {
                for body in attribute.value.graphs { add(body, path: path + node.label + " › ") }
            }
        }
    }
}

extension ModelWeight {
    fileprivate init(_ use: WeightUses.Use) {
        name = use.name
        readers = use.readers
        byteCount = (try? TensorInfo(dtype: use.constant.dtype, shape: use.constant.shape).storedByteCount()) ?? 0
        do {
            let report = try WeightReport(use.constant)
            self.report = report
            warnings = report.warnings(for: use.constant)
        } catch {
            report = nil
            warnings = [error.description]
        }
    }
}

extension WeightReport {
    /// Half precision ends here.
    private static var greatestHalf: Double { 65504 }

    fileprivate func warnings(for constant: Constant) -> [String] {
        var warnings: [String] = []
        if nanCount > 0 { warnings.append("\(nanCount) NaN") }
        if infinityCount > 0 { warnings.append("\(infinityCount) infinite") }
        guard constant.dtype.isFloatingPoint, elementCount > 1, let minimum, let maximum else { return warnings }
        if zeroCount == elementCount {
            warnings.append("all zero")
        } else if minimum == maximum, elementCount > Self.mostListedElements, nanCount + infinityCount == 0 {
            warnings.append("all equal")
        }
        if max(-minimum, maximum) > Self.greatestHalf, constant.dtype != .float16 {
            warnings.append("beyond float16")
        }
        if subnormalCount > 0 { warnings.append("\(subnormalCount) subnormal") }
        if zeroRowCount > 0, zeroCount < elementCount { warnings.append("\(zeroRowCount) rows of zeros") }
        return warnings
    }
}
