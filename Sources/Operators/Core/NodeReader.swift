import GraphIR
import TensorCore

/// Typed access to a node's attributes, with errors that name the node.
package struct NodeReader: Sendable {
    package let node: Node
    /// The version of the node's domain that the model imports.
    package let opset: Int

    package init(_ node: Node, opset: Int) {
        self.node = node
        self.opset = opset
    }

    package var inputCount: Int { node.inputs.count }
    package var outputCount: Int { node.outputs.count }

    package func hasInput(_ index: Int) -> Bool { index < node.inputs.count && node.inputs[index] != nil }
    package func hasOutput(_ index: Int) -> Bool { index < node.outputs.count && node.outputs[index] != nil }
    package func has(_ name: String) -> Bool { node.attributes[name] != nil }

    package func int(_ name: String) throws(SardonyxError) -> Int? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .int(let value) = attribute else { throw wrongKind(name, "an int") }
        return value
    }

    package func int(_ name: String, default value: Int) throws(SardonyxError) -> Int { try int(name) ?? value }

    package func bool(_ name: String, default value: Bool) throws(SardonyxError) -> Bool {
        try int(name).map { $0 != 0 } ?? value
    }

    package func float(_ name: String) throws(SardonyxError) -> Float? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .float(let value) = attribute else { throw wrongKind(name, "a float") }
        return value
    }

    package func float(_ name: String, default value: Float) throws(SardonyxError) -> Float { try float(name) ?? value }

    package func string(_ name: String) throws(SardonyxError) -> String? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .string(let bytes) = attribute else { throw wrongKind(name, "a string") }
        return String(decoding: bytes, as: UTF8.self)
    }

    package func string(_ name: String, default value: String) throws(SardonyxError) -> String {
        try string(name) ?? value
    }

    /// One of the cases of a string enumeration, for attributes with a fixed set of values.
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default value: Choice
    ) throws(SardonyxError) -> Choice where Choice.RawValue == String {
        guard let text = try string(name) else { return value }
        guard let choice = Choice(rawValue: text) else {
            let allowed = Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw error(.unsupported, "attribute \(name)", got: "'\(Name(text))'", allowed: allowed)
        }
        return choice
    }

    package func ints(_ name: String) throws(SardonyxError) -> [Int]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .ints(let values) = attribute else { throw wrongKind(name, "a list of ints") }
        return values
    }

    package func floats(_ name: String) throws(SardonyxError) -> [Float]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .floats(let values) = attribute else { throw wrongKind(name, "a list of floats") }
        return values
    }

    package func strings(_ name: String) throws(SardonyxError) -> [String]? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .strings(let values) = attribute else { throw wrongKind(name, "a list of strings") }
        return values.map { String(decoding: $0, as: UTF8.self) }
    }

    package func tensor(_ name: String) throws(SardonyxError) -> Constant? {
        guard let attribute = node.attributes[name] else { return nil }
        guard case .tensor(let constant) = attribute else { throw wrongKind(name, "a tensor") }
        return constant
    }

    /// An element type given as the number of `TensorProto.DataType`.
    package func dtype(_ name: String) throws(SardonyxError) -> DType? {
        guard let number = try int(name) else { return nil }
        guard let raw = Int32(exactly: number), let dtype = DType(rawValue: raw) else {
            throw error(.unsupported, "attribute \(name): element type", got: "\(number)", allowed: "1-26")
        }
        return dtype
    }

    package func required<Value>(_ name: String, _ value: Value?) throws(SardonyxError) -> Value {
        guard let value else { throw error(.graph, "attribute \(name) is missing") }
        return value
    }

    /// An error placed at this node.
    package func error(
        _ code: SardonyxError.Code, _ what: String, got: String? = nil, allowed: String? = nil, hint: String? = nil
    ) -> SardonyxError {
        SardonyxError(code, node.label, what, got: got, allowed: allowed, hint: hint)
    }

    private func wrongKind(_ name: String, _ kind: String) -> SardonyxError {
        error(.graph, "attribute \(name) must be \(kind)")
    }
}
