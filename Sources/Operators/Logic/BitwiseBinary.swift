import GraphIR
import TensorCore

/// ONNX BitwiseAnd, BitwiseOr, BitwiseXor (18) and BitShift (11-28) on integers.
///
/// Shifts by negative amounts or by the width or more leave what the sign extension gives: 0, or -1 for a negative
/// number shifted right.
struct BitwiseBinary: BinaryLogic {
    static let elementTypes: [DType] = DType.integers
    enum Function {
        case and, or, xor, left, right
    }
    private let function: Function
    let legacy: LegacyBroadcast? = nil
    var plan: BroadcastWalk?

    init(_ node: NodeReader) throws(SardonyxError) {
        switch node.node.opType {
        case "BitwiseAnd": function = .and
        case "BitwiseOr": function = .or
        case "BitwiseXor": function = .xor
        default:
            switch try node.required("direction", try node.string("direction")) {
            case "LEFT": function = .left
            case "RIGHT": function = .right
            case let other:
                throw node.error(
                    .unsupported, "attribute direction", got: "'\(Name(other))'", allowed: "'LEFT', 'RIGHT'")
            }
        }
    }

    func outputType(_ input: DType) -> DType { input }

    func canOverwrite(input: Int, _ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> Bool {
        input < 2 && inputs[input]?.shape == outputs.first??.shape
    }

    func compute(
        _ walk: BroadcastWalk, _ a: TensorView, _ b: TensorView, to output: TensorView, _ context: RunContext
    ) throws(SardonyxError) {
        let body = Body(walk: walk, a: a, b: b, output: output, function: function, context: context)
        try withIntegerType(a.dtype, body)
    }

    private struct Body: IntegerBody {
        let walk: BroadcastWalk
        let a, b, output: TensorView
        let function: Function
        let context: RunContext

        func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) throws(SardonyxError) {
            let (walk, a, b, output, function) = (walk, a, b, output, function)
            try walk.forEachPart(context) { part in
                let (x, y, target) = (a.typed(T.self), b.typed(T.self), output.typed(T.self))
                switch function {
                case .and: walk.map(part, x, y, to: target) { $0 & $1 }
                case .or: walk.map(part, x, y, to: target) { $0 | $1 }
                case .xor: walk.map(part, x, y, to: target) { $0 ^ $1 }
                case .left: walk.map(part, x, y, to: target) { $1 < 0 || $1 >= T.bitWidth ? 0 : $0 &<< $1 }
                case .right:
                    walk.map(part, x, y, to: target) { $1 < 0 || $1 >= T.bitWidth ? ($0 < 0 ? ~0 : 0) : $0 &>> $1 }
                }
            }
        }
    }
}
