/// A graph by index: what a picture of it needs, or a tool that walks it.
///
/// Nodes of the operator `Constant`, and those of `Identity` that repeat a constant, are left out; what they make counts
/// as constant values.
public struct GraphReport: Sendable, Encodable {
    public struct Value: Sendable, Encodable {
        public let name: String
        /// For example `float32[1, 3, 550, 550]`; `?` when nothing is known.
        public let type: String
        /// `blocked16` for feature maps in blocked layout.
        public let layout: String
        /// In memory, padding of the layout included; `nil` when the shape is not known.
        public let byteCount: Int?
        public let isConstant: Bool
        /// Index in ``ModelPicture/weights``, for constants.
        public let weight: Int?
    }

    public struct Attribute: Sendable, Encodable {
        public let name: String
        /// Small values in full, others by their kind.
        public let value: String
    }

    /// A graph that is an attribute of a node, such as the branch of an If.
    public struct Body: Sendable, Encodable {
        public let attribute: String
        public let graph: GraphReport
    }

    public struct Node: Sendable, Encodable {
        public let name: String
        /// `""` is ONNX, `sardonyx` the operators that graph passes make.
        public let domain: String
        public let operatorName: String
        /// Chosen by the plan; empty in the graph of the file and for operators that have only one.
        public let algorithm: String
        /// Indices of values; `nil` for omitted ones.
        public let inputs: [Int?]
        public let outputs: [Int?]
        /// The modules of the source program around it, outermost first; `nil` where the model does not say.
        public let modules: [String]?
        public let attributes: [Attribute]
        public let bodies: [Body]
        /// By the direct algorithm; `nil` when a shape is not known.
        public let multiplyAccumulates: Int?
        /// Read and written by one run, every operand once; `nil` when a shape is not known.
        public let byteCount: Int?
        /// In a plan: indices of the nodes of the file's graph that this node computes.
        public let origins: [Int]
        /// In a plan: its place in the schedule; `nil` for nodes that need not run, such as views.
        public let step: Int?
    }

    public let name: String
    public let values: [Value]
    /// Every node after the producers of its inputs.
    public let nodes: [Node]
    /// Values that a caller feeds, or, for a body, the node.
    public let inputs: [Int]
    public let outputs: [Int]
    /// Values of enclosing graphs that a body reads by name.
    public let captures: [Int]
}

/// Everything that a picture of a model shows.
public struct ModelPicture: Sendable, Encodable {
    /// A function that the file defines.
    public struct Function: Sendable, Encodable {
        /// With its domain.
        public let name: String
        /// Its own body; types are known where it is called only.
        public let graph: GraphReport
    }

    /// The graph of the file; calls of the file's own functions are inlined.
    public let graph: GraphReport
    /// `nil` for a model that cannot run, or whose input shapes are open.
    public let plan: PlanReport?
    public let functions: [Function]
    /// Of the constants of all graphs.
    public let weights: [WeightReport]
    /// Why there is no plan, and what else was found wrong.
    public let problems: [String]
}
