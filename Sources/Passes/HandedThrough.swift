import GraphIR
import TensorCore

/// Which nodes hand an input through: not only Identity, but all that change nothing as they are used (Pad by zeros,
/// Slice of everything, Concat of one, Mul by 1). What is not certain for every input is not claimed.
struct HandedThrough {
    let graph: Graph
    let opset: Int
    private let pattern: FusionPattern

    init(_ graph: Graph, opset: Int) {
        self.graph = graph
        self.opset = opset
        self.pattern = FusionPattern(graph)
    }

    /// The input whose elements, shape and element type output 0 has.
    func source(of node: Node) throws(SardonyxError) -> ValueID? {
        guard node.domain == Domains.onnx, let input = node.inputs.first ?? nil, let output = node.outputs.first ?? nil
        else { return nil }
        switch node.opType {
        case "Identity": return input
        case "Dropout": return try isInference(node) ? input : nil
        case "Cast": if let source = castBack(node, input, output) { return source }
        default: break
        }
        guard let dtype = graph[input].type?.dtype, dtype == graph[output].type?.dtype else { return nil }
        switch node.opType {
        case "Cast", "CastLike": return input
        case "Concat", "Sum", "Mean", "Max", "Min": return node.inputs.count == 1 ? input : nil
        case "Split": return node.outputs.count == 1 ? input : nil
        case "Reshape", "Expand", "Squeeze", "Unsqueeze", "Flatten":
            return try keepsDims(node, input, output) ? input : nil
        case "Transpose": return keepsOrder(node, input) ? input : nil
        case "Pad":
            guard let amounts = try amounts(node) else { return nil }
            return amounts.allSatisfy { $0 == 0 } ? input : nil
        case "Tile":
            guard opset >= 6, let repeats = try graph.integers(node, input: 1) else { return nil }
            return repeats.allSatisfy { $0 == 1 } ? input : nil
        case "Slice": return try takesAll(node, input, output) ? input : nil
        case "Resize", "Upsample": return try keepsSize(node, input) ? input : nil
        case "Mul", "Div", "Add", "Sub": return try otherThanNeutral(node, dtype)
        default: return nil
        }
    }

    private func dims(_ value: ValueID) -> [Dim]? { graph[value].type?.shape?.dims }

    private func isInference(_ node: Node) throws(SardonyxError) -> Bool {
        if node.outputs.count > 1, let mask = node.outputs[1], pattern.readerCount(of: mask) > 0 { return false }
        guard node.inputs.count > 2, let mode = node.inputs[2] else { return true }
        guard let constant = graph[mode].constant, constant.dtype == .bool, constant.shape.elementCount == 1 else {
            return false
        }
        return try constant.tensor().elements(of: UInt8.self).first == 0
    }

    /// What a Cast only casts back to, where the Cast before it lost nothing.
    private func castBack(_ node: Node, _ input: ValueID, _ output: ValueID) -> ValueID? {
        guard let index = pattern.producer(of: input), graph.nodes[index].domain == Domains.onnx,
            graph.nodes[index].opType == "Cast", let source = graph.nodes[index].inputs.first ?? nil,
            let narrow = graph[source].type?.dtype, let wide = graph[input].type?.dtype
        else { return nil }
        return graph[output].type?.dtype == narrow && wide.holds(narrow) ? source : nil
    }

    // MARK: Shapes

    private func keepsDims(_ node: Node, _ input: ValueID, _ output: ValueID) throws(SardonyxError) -> Bool {
        if let before = graph[input].type?.shape?.knownDims, before == graph[output].type?.shape?.knownDims {
            return true
        }
        guard let before = dims(input) else { return false }
        switch node.opType {
        case "Flatten":
            guard case .int(let axis) = node.attributes["axis"] ?? .int(1) else { return false }
            return before.count == 2 && (axis == 1 || axis == -1)
        case "Expand":
            guard let target = try graph.integers(node, input: 1) else { return false }
            return target.count <= before.count && target.allSatisfy { $0 == 1 }
        case "Reshape":
            guard let target = try graph.integers(node, input: 1), target.count == before.count else { return false }
            if case .int(let allowsZero)? = node.attributes["allowzero"], allowsZero != 0 { return false }
            return target.count { $0 == -1 } <= 1
                && zip(target, before).allSatisfy { $0 == -1 || $0 == 0 || $1 == .known($0) }
        default: return false
        }
    }

    /// Whether a Transpose moves axes of extent 1 at most.
    private func keepsOrder(_ node: Node, _ input: ValueID) -> Bool {
        let before = dims(input)
        guard case .ints(let permutation)? = node.attributes["perm"] else {
            return before.map { $0.count <= 1 } ?? false
        }
        return permutation.enumerated().allSatisfy { place, axis in
            guard place != axis else { return true }
            guard let before, before.indices.contains(place), before.indices.contains(axis) else { return false }
            return before[place] == .known(1) && before[axis] == .known(1)
        }
    }

    private func amounts(_ node: Node) throws(SardonyxError) -> [Int]? {
        guard opset < 11 else { return try graph.integers(node, input: 1) }
        guard case .ints(let pads)? = node.attributes[opset == 1 ? "paddings" : "pads"] else { return nil }
        return pads
    }

    private func takesAll(_ node: Node, _ input: ValueID, _ output: ValueID) throws(SardonyxError) -> Bool {
        func bounds(_ name: String, _ index: Int) throws(SardonyxError) -> [Int]? {
            guard opset < 10 else { return try graph.integers(node, input: index) }
            guard case .ints(let values)? = node.attributes[name] else { return nil }
            return values
        }
        guard let starts = try bounds("starts", 1), let ends = try bounds("ends", 2), starts.count == ends.count
        else { return false }
        let axes = try bounds("axes", 3)
        let steps = try bounds("steps", 4) ?? [Int](repeating: 1, count: starts.count)
        let isGiven = { (index: Int) in opset >= 10 && node.inputs.count > index && node.inputs[index] != nil }
        guard axes != nil || !isGiven(3), axes?.count ?? starts.count == starts.count,
            try bounds("steps", 4) != nil || !isGiven(4), steps.count == starts.count
        else { return false }
        let (before, after) = (dims(input), dims(output))
        return starts.indices.allSatisfy { index in
            // What the standard names for "to the end".
            if starts[index] == 0, steps[index] == 1, ends[index] >= Int(Int32.max) { return true }
            guard steps[index] > 0, let before, let after, before.count == after.count else { return false }
            let given = axes?[index] ?? index
            let axis = given < 0 ? given + before.count : given
            return before.indices.contains(axis) && before[axis].value != nil && before[axis] == after[axis]
        }
    }

    private func keepsSize(_ node: Node, _ input: ValueID) throws(SardonyxError) -> Bool {
        func text(_ name: String) -> String? {
            guard case .string(let bytes)? = node.attributes[name] else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
        guard ["nearest", "linear", "bilinear"].contains(text("mode") ?? "nearest"),
            !["tf_crop_and_resize", "tf_half_pixel_for_nn"].contains(text("coordinate_transformation_mode") ?? "")
        else { return false }
        if case .floats(let scales)? = node.attributes["scales"], node.opType == "Upsample" {
            return scales.allSatisfy { $0 == 1 }
        }
        let place = node.opType == "Upsample" || opset < 11 ? 1 : 2
        if node.inputs.count > place, let scales = node.inputs[place] {
            guard let constant = graph[scales].constant, constant.dtype == .float32 else { return false }
            let values: [Float] = try constant.tensor().array()
            if !values.isEmpty { return values.allSatisfy { $0 == 1 } }
        }
        guard place == 2, text("keep_aspect_ratio_policy") ?? "stretch" == "stretch",
            let sizes = try graph.integers(node, input: 3), let before = dims(input)
        else { return false }
        guard case .ints(let axes)? = node.attributes["axes"] else { return before == sizes.map(Dim.known) }
        return sizes.count == axes.count
            && zip(sizes, axes).allSatisfy { size, given in
                let axis = given < 0 ? given + before.count : given
                return before.indices.contains(axis) && before[axis] == .known(size)
            }
    }

    // MARK: Arithmetic

    /// Larger constants are not looked into.
    private static let mostElements = 4096

    /// The operand that is no constant, where the other one changes neither elements nor shape: a factor of 1, a
    /// subtrahend of 0. To floating-point numbers -0 is neutral: -0 + 0 is 0.
    private func otherThanNeutral(_ node: Node, _ dtype: DType) throws(SardonyxError) -> ValueID? {
        guard opset >= 7, node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1] else {
            return nil
        }
        let neutral: UInt64?
        switch node.opType {
        case "Mul", "Div": neutral = dtype.bitsOfOne
        case "Sub": neutral = dtype.bitsOfOne.map { _ in 0 }
        default: neutral = dtype.bitsOfOne.map { _ in dtype.isFloatingPoint ? 1 << (8 * dtype.byteSize - 1) : 0 }
        }
        guard let neutral else { return nil }
        if try isFilled(right, with: neutral, under: left) { return left }
        guard node.opType == "Mul" || node.opType == "Add" else { return nil }
        return try isFilled(left, with: neutral, under: right) ? right : nil
    }

    /// Whether a constant holds nothing else, and is broadcast to what `value` is already.
    private func isFilled(_ id: ValueID, with bits: UInt64, under value: ValueID) throws(SardonyxError) -> Bool {
        guard let constant = graph[id].constant, constant.shape.elementCount <= Self.mostElements else { return false }
        let own = constant.shape.dims
        if !own.isEmpty {
            guard let dims = dims(value), own.count <= dims.count,
                zip(own.reversed(), dims.reversed()).allSatisfy({ $0 == 1 || $1 == .known($0) })
            else { return false }
        }
        let size = constant.dtype.byteSize
        return try constant.tensor().withUnsafeBytes { bytes in
            bytes.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: bits >> (8 * ($0 % size))) }
        }
    }
}

extension DType {
    /// The number 1 of the types that arithmetic is defined for.
    fileprivate var bitsOfOne: UInt64? {
        switch self {
        case .float32: UInt64(Float(1).bitPattern)
        case .float64: Double(1).bitPattern
        case .float16: 0x3c00
        case .bfloat16: 0x3f80
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: 1
        default: nil
        }
    }

    /// Bits that a whole number may have, and whether it may be negative; for floating-point numbers those that are exact.
    private var wholeNumbers: (bits: Int, isSigned: Bool)? {
        switch self {
        case .bool: (1, false)
        case .uint8: (8, false)
        case .uint16: (16, false)
        case .uint32: (32, false)
        case .uint64: (64, false)
        case .int8: (7, true)
        case .int16: (15, true)
        case .int32: (31, true)
        case .int64: (63, true)
        case .float32: (24, true)
        case .float64: (53, true)
        default: nil
        }
    }

    /// Whether every number of the other type has its own here, so that a Cast there and back changes nothing.
    fileprivate func holds(_ other: DType) -> Bool {
        if other == .float32 { return self == .float64 }
        guard other.isInteger || other == .bool, let own = wholeNumbers, let theirs = other.wholeNumbers else {
            return false
        }
        return own.bits >= theirs.bits && (own.isSigned || !theirs.isSigned) && self != .bool
    }
}
