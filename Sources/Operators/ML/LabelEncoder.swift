import GraphIR
import TensorCore

/// ONNX LabelEncoder (ai.onnx.ml 1, 2, 4) and CategoryMapper (1): each element of the input replaced by what a list of
/// keys and a list of values say; elements that are no key by a default.
struct LabelEncoder: Operator {
    static let elementTypes: [DType] = [.string, .int64, .float32, .float64, .int32, .int16]
    /// One direction of the mapping, taken for inputs of the keys' type.
    private struct Mapping: Sendable {
        let keys: ElementIndex
        /// The values, and the default behind them.
        let values: Tensor

        init(_ keys: Tensor, _ values: Tensor, default element: Tensor, _ node: NodeReader) throws(SardonyxError) {
            let count = values.shape.elementCount
            try node.require("the list of values", count: count, keys.shape.elementCount)
            guard element.dtype == values.dtype, element.shape.elementCount == 1 else {
                throw node.error(
                    .value, "default", got: "\(element.dtype)\(element.shape)",
                    allowed: "one element of \(values.dtype)")
            }
            self.keys = try ElementIndex(keys, at: node)
            _ = try ElementIndex(values, at: node)
            struct Append: StorageBody {
                let values, element: Tensor
                func run<T>(_ type: T.Type) throws(SardonyxError) -> Tensor {
                    let shape = try Shape([values.shape.elementCount + 1])
                    return try Tensor(dtype: values.dtype, shape: shape) { (memory) throws(SardonyxError) in
                        let target = memory.assumingMemoryBound(to: T.self)
                        for (index, value) in values.elements(of: T.self).enumerated() { target[index] = value }
                        target[values.shape.elementCount] = element.elements(of: T.self)[0]
                    }
                }
            }
            self.values = try withStorageType(values.dtype, Append(values: values, element: element))
        }
    }
    private let mappings: [Mapping]

    init(_ node: NodeReader) throws(SardonyxError) {
        if node.node.opType == "CategoryMapper" || node.opset < 2 {
            let names = node.node.opType == "CategoryMapper" ? "cats_strings" : "classes_strings"
            let strings = try node.required(names, try node.list(names))
            let count = strings.shape.elementCount
            let numbers =
                names == "cats_strings"
                ? try node.required("cats_int64s", try node.list("cats_int64s"))
                : try Tensor(Array(0..<Int64(count)), dims: [count])
            mappings = [
                try Mapping(strings, numbers, default: LabelEncoder.defaultElement(.int64, node), node),
                try Mapping(numbers, strings, default: LabelEncoder.defaultElement(.string, node), node),
            ]
            return
        }
        let kinds = ["tensor", "strings", "int64s", "floats"]
        guard let keys = try node.firstList(kinds.map { "keys_\($0)" }),
            let values = try node.firstList(kinds.map { "values_\($0)" })
        else { throw node.error(.graph, "attributes keys_… and values_… are missing") }
        mappings = [try Mapping(keys, values, default: LabelEncoder.defaultElement(values.dtype, node), node)]
    }

    private static func defaultElement(_ dtype: DType, _ node: NodeReader) throws(SardonyxError) -> Tensor {
        if let tensor = try node.tensor("default_tensor")?.tensor() { return tensor }
        let number = Int64(try node.int("default_int64", default: -1))
        let real = try node.float("default_float", default: -0.0)
        return switch dtype {
        case .string: try Tensor([try node.string("default_string", default: "_Unused")], dims: [1])
        case .float32: try Tensor([real], dims: [1])
        case .float64: try Tensor([Double(real)], dims: [1])
        case .int32: try Tensor([Int32(clamping: number)], dims: [1])
        case .int16: try Tensor([Int16(clamping: number)], dims: [1])
        default: try Tensor([number], dims: [1])
        }
    }

    private func mapping(_ dtype: DType, at place: some NodePlace) throws(SardonyxError) -> Mapping {
        guard let mapping = mappings.first(where: { $0.keys.dtype == dtype }) else {
            throw place.error(
                .unsupported, "input element type", got: "\(dtype)",
                allowed: mappings.map { "\($0.keys.dtype)" }.joined(separator: ", ") + " as the keys", hint: nil)
        }
        return mapping
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        [Inferred(try mapping(try context.dtype(0), at: context).values.dtype, try context.shape(0))]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        let mapping = try mapping(input.dtype, at: context)
        let output = try context.output(0, dtype: mapping.values.dtype, shape: input.shape)
        try withStorageType(output.dtype, Lookup(mapping: mapping, input: input, output: output, context: context))
    }

    private struct Lookup: StorageBody {
        let mapping: Mapping
        let input, output: TensorView
        let context: RunContext

        func run<T>(_ type: T.Type) throws(SardonyxError) {
            let (mapping, input, output) = (mapping, input, output)
            try context.inParallel(input.elementCount, cost: 8) { range in
                let (source, target) = (mapping.values.elements(of: T.self), output.typed(T.self))
                mapping.keys.forEach(range, of: input) { element, position in
                    target[element] = source[position ?? source.count - 1]
                }
            }
        }
    }
}
