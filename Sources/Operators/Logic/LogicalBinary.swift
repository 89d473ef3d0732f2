import GraphIR
import TensorCore

/// ONNX And, Or, Xor (1-7) on booleans.
struct LogicalBinary: BinaryLogic {
    static let elementTypes: [DType] = [.bool]
    enum Function: String {
        case and = "And"
        case or = "Or"
        case xor = "Xor"
    }
    private let function: Function
    let legacy: LegacyBroadcast?
    var plan: BroadcastWalk?

    init(_ node: NodeReader) throws(SardonyxError) {
        function = try node.required("operator type", Function(rawValue: node.node.opType))
        legacy = try LegacyBroadcast(node)
    }

    func outputType(_ input: DType) -> DType { .bool }

    func compute(
        _ walk: BroadcastWalk, _ a: TensorView, _ b: TensorView, to output: TensorView, _ context: RunContext
    ) throws(SardonyxError) {
        let function = function
        try walk.forEachPart(context) { part in
            let (x, y, target) = (a.typed(UInt8.self), b.typed(UInt8.self), output.typed(UInt8.self))
            switch function {
            case .and: walk.map(part, x, y, to: target) { $0 & $1 }
            case .or: walk.map(part, x, y, to: target) { $0 | $1 }
            case .xor: walk.map(part, x, y, to: target) { $0 ^ $1 }
            }
        }
    }
}
