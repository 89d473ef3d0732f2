import TensorCore

/// An attribute of a node.
package enum Attribute: Sendable {
    case int(Int)
    case float(Float)
    case string([UInt8])
    case tensor(Constant)
    case graph(Graph)
    case ints([Int])
    case floats([Float])
    case strings([[UInt8]])
    case tensors([Constant])
    case graphs([Graph])
    case type(ValueType)
    case types([ValueType])
    case sparseTensor(SparseConstant)
    case sparseTensors([SparseConstant])
    /// Inside a model-local function: the name of the function's attribute whose value stands here.
    case reference(String)
}

/// A sparse tensor constant: `values [NNZ]`, `indices [NNZ]` (linear) or `[NNZ, rank]`.
package struct SparseConstant: Sendable {
    package var shape: Shape
    package var values: Constant
    package var indices: Constant

    package init(shape: Shape, values: Constant, indices: Constant) {
        self.shape = shape
        self.values = values
        self.indices = indices
    }
}

/// Index of a value in its graph.
package struct ValueID: Hashable, Sendable, Comparable {
    package let index: Int
    package init(_ index: Int) { self.index = index }
    package static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// One operator application.
package struct Node: Sendable {
    package var name: Name
    /// `""` is `ai.onnx`; `Domains.internal` holds the operators that passes make.
    package var domain: String
    package var opType: String
    /// With domain and type, picks one of the model's functions.
    package var overload: String = ""
    /// Omitted optional inputs are `nil`.
    package var inputs: [ValueID?]
    package var outputs: [ValueID?]
    package var attributes: [String: Attribute]
    /// How many of the last inputs are there for the subgraphs only, which take them as their last inputs
    /// (`Graph.closeSubgraphs`).
    package var captureCount = 0
    /// Names of the nodes of the source model that this node computes, for tracing after fusion.
    package var origins: [Name]
    /// The modules of the source program around it, outermost first; `nil` where the model does not say.
    package var modules: [String]?

    package init(
        name: Name, domain: String = "", opType: String, inputs: [ValueID?], outputs: [ValueID?],
        attributes: [String: Attribute] = [:], origins: [Name]? = nil
    ) {
        self.name = name
        self.domain = domain
        self.opType = opType
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.origins = origins ?? [name]
    }

    /// For messages: `Conv 'layer1.0.conv1'`.
    package var label: String {
        let kind = Domains.qualified(opType, in: domain)
        return name.isEmpty ? "\(kind) (unnamed)" : "\(kind) '\(name)'"
    }
}

/// Operator domains known to the program.
package enum Domains {
    package static let onnx = ""
    /// Gradient descent (Adagrad, Adam, Momentum).
    package static let training = "ai.onnx.preview.training"
    /// Operators that the standard tries out.
    package static let preview = "ai.onnx.preview"
    /// Operators that graph passes make; never read from or written to a file.
    package static let `internal` = "sardonyx"

    /// An operator with its domain: `com.microsoft.Gelu`; those of ONNX stand alone.
    package static func qualified(_ name: String, in domain: String) -> String {
        domain.isEmpty ? name : "\(domain).\(name)"
    }

    /// `ai.onnx` is another spelling of the default domain.
    package static func normalized(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
}
