import GraphIR
import TensorCore

/// ONNX Equal (1-19), Less (1-13), LessOrEqual (12-16), Greater (1-13), GreaterOrEqual (12-16); false with NaN.
struct Comparison: BinaryLogic {
    static let elementTypes: [DType] = DType.numeric
    private enum Relation {
        case equal, less, lessOrEqual
    }
    private let relation: Relation
    /// Greater is less with the inputs exchanged.
    let isExchanged: Bool
    let legacy: LegacyBroadcast?
    var plan: BroadcastWalk?

    init(_ node: NodeReader) throws(SardonyxError) {
        let name = node.node.opType
        relation = name == "Equal" ? .equal : name.hasSuffix("OrEqual") ? .lessOrEqual : .less
        isExchanged = name.hasPrefix("Greater")
        legacy = try LegacyBroadcast(node)
    }

    func outputType(_ input: DType) -> DType { .bool }

    func follow(_ a: Dim, _ b: Dim) -> Dim? {
        let (x, y) = isExchanged ? (b, a) : (a, b)
        if let x = x.value, let y = y.value {
            let holds =
                switch relation {
                case .equal: x == y
                case .less: x < y
                case .lessOrEqual: x <= y
                }
            return .known(holds ? 1 : 0)
        }
        // An extent that is only named is still not negative.
        let isNegative = (x.value ?? y.value).map { $0 < 0 } ?? false
        if relation == .equal { return x == y && x != .unknown ? .known(1) : isNegative ? .known(0) : nil }
        return isNegative ? .known(x.value == nil ? 0 : 1) : nil
    }

    func compute(
        _ walk: BroadcastWalk, _ a: TensorView, _ b: TensorView, to output: TensorView, _ context: RunContext
    ) throws(SardonyxError) {
        let body = Body(walk: walk, a: a, b: b, output: output, relation: relation, context: context)
        switch a.dtype {
        case .string:
            try walk.forEachPart(context) { part in
                walk.map(part, a.typed(String.self), b.typed(String.self), to: output.typed(Bool.self)) { $0 == $1 }
            }
        case .bool: try body.run(UInt8.self)
        default: try withNumericType(a.dtype, body)
        }
    }

    private struct Body: NumericBody {
        let walk: BroadcastWalk
        let a, b, output: TensorView
        let relation: Relation
        let context: RunContext

        func run<T: NumericElement>(_ type: T.Type) throws(SardonyxError) {
            let (walk, a, b, output, relation) = (walk, a, b, output, relation)
            try walk.forEachPart(context) { part in
                let (x, y, target) = (a.typed(T.self), b.typed(T.self), output.typed(Bool.self))
                switch relation {
                case .equal: walk.map(part, x, y, to: target) { $0 == $1 }
                case .less: walk.map(part, x, y, to: target) { $0 < $1 }
                case .lessOrEqual: walk.map(part, x, y, to: target) { $0 <= $1 }
                }
            }
        }
    }
}
