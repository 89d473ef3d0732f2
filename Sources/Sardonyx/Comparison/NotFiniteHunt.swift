import GraphIR
import TensorCore

/// Follows NaN and infinities to the nodes that make them.
struct NotFiniteHunt {
    private let graph: Graph
    private var contents: [ValueID: NotFiniteReport.Contents] = [:]
    private var origins: [NotFiniteReport.Origin] = []
    private var affected = 0
    private var reported: Set<ValueID> = []

    init(_ graph: Graph) { self.graph = graph }

    mutating func look(_ id: ValueID, _ value: RuntimeValue) throws(SardonyxError) {
        let found = try NotFiniteReport.Contents(value)
        contents[id] = found
        if !found.isFinite { affected += 1 }
    }

    /// What is fed.
    mutating func lookAtInputs(_ feeds: [Name: RuntimeValue]) throws(SardonyxError) {
        for id in graph.inputs {
            guard let value = feeds[graph[id].name] else { continue }
            try look(id, value)
            noteGiven(id, step: 0)
        }
    }

    /// After a step, whose inputs and outputs have been looked at.
    mutating func conclude(_ node: Node, _ step: Int) throws(SardonyxError) {
        let outputs = node.outputs.compactMap { $0 }.filter { !(contents[$0]?.isFinite ?? true) }
        guard let first = outputs.first, let made = contents[first] else { return }
        var inputs: [NotFiniteReport.Input] = []
        var (hasNaN, hasInfinity) = (false, false)
        for case let id? in node.inputs {
            if let constant = graph[id].constant {
                if contents[id] == nil {
                    contents[id] = try NotFiniteReport.Contents(.tensor(try constant.tensor()))
                }
                noteGiven(id, step: step)
            }
            guard let read = contents[id] else { continue }
            hasNaN = hasNaN || read.nan > 0
            hasInfinity = hasInfinity || read.infinite > 0
            inputs.append(NotFiniteReport.Input(value: graph[id].name.string, contents: read))
        }
        let kind: NotFiniteReport.Origin.Kind
        if outputs.contains(where: { (contents[$0]?.nan ?? 0) > 0 }), !hasNaN {
            kind = hasInfinity ? .nanFromInfinity : .nan
        } else if !hasNaN, !hasInfinity {
            kind = .infinity
        } else {
            return
        }
        origins.append(
            NotFiniteReport.Origin(
                kind: kind, step: step, node: node.name.string, domain: node.domain, operatorName: node.opType,
                origins: node.sources, value: graph[first].name.string, contents: made, inputs: inputs))
    }

    private mutating func noteGiven(_ id: ValueID, step: Int) {
        guard let found = contents[id], !found.isFinite, reported.insert(id).inserted else { return }
        origins.append(
            NotFiniteReport.Origin(
                kind: .given, step: step, node: "", domain: "",
                operatorName: graph.inputs.contains(id) ? "input" : "constant", origins: [],
                value: graph[id].name.string, contents: found, inputs: []))
    }

    var report: NotFiniteReport {
        NotFiniteReport(origins: origins, affectedCount: affected, valueCount: contents.count)
    }
}

extension NotFiniteReport.Contents {
    /// - Throws: `limit` when there is no memory.
    init(_ value: RuntimeValue) throws(SardonyxError) {
        switch value {
        case .tensor(let tensor): try add(tensor)
        case .sequence(let sequence): for tensor in sequence.elements { try add(tensor) }
        case .absent: break
        }
    }

    private mutating func add(_ tensor: Tensor) throws(SardonyxError) {
        let isComplex = tensor.dtype == .complex64 || tensor.dtype == .complex128
        let parts = isComplex ? 2 : 1
        let start = count
        count += tensor.shape.elementCount
        guard tensor.dtype.isFloatingPoint || isComplex else { return }
        let reader = try NumberReader(tensor)
        let total = tensor.shape.elementCount * parts
        for offset in stride(from: 0, to: total, by: NumberReader.capacity) {
            let length = min(NumberReader.capacity, total - offset)
            let numbers = try reader.numbers(offset, length)
            for index in 0..<length { add(numbers[index], at: start + (offset + index) / parts) }
        }
        withExtendedLifetime(tensor) {}
    }

    private mutating func add(_ number: Double, at index: Int) {
        guard number.isFinite else {
            if number.isNaN { nan += 1 } else { infinite += 1 }
            if first == nil { first = index }
            return
        }
        if number < minimum ?? .infinity { minimum = number }
        if number > maximum ?? -.infinity { maximum = number }
    }
}
