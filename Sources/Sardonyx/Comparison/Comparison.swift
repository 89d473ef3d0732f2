import GraphIR
import TensorCore

/// What a run's values are beside those of a reference.
public struct Comparison: Sendable, Encodable {
    /// One value that both have.
    public struct Row: Sendable, Encodable {
        /// The step that made it, from 0; of a view the step that reads it first.
        public let step: Int
        /// Name of the node or kernel that makes it; may be empty.
        public let node: String
        public let domain: String
        public let operatorName: String
        /// Names of the model's nodes that the kernel computes, where that is more than the one.
        public let origins: [String]
        public let value: String
        /// Its name in the reference, where that is another one.
        public let referenceName: String?
        /// For example `float32[1, 64, 56, 56]`.
        public let type: String
        public let isOutput: Bool
        /// `nil` when they cannot be compared.
        public let error: TensorError?
        /// Why not, or which tensor of a sequence `error` is about.
        public let note: String?

        public var isWithin: Bool { error?.isWithin ?? false }

        /// For messages: `Conv 'layer1.0.conv1'`.
        public var label: String { Comparison.label(node, domain, operatorName, value) }
    }

    /// A value of the reference that the run does not show.
    public struct Unmatched: Sendable, Encodable {
        public enum Reason: String, Sendable, Encodable, CaseIterable {
            /// A kernel computes it on its way to something else, and never writes it down.
            case fused
            /// It was computed when the model was loaded.
            case folded
            /// Nothing reads it.
            case unused
            /// The model has no value of this name.
            case absent
        }
        public let value: String
        public let reason: Reason
        /// The kernel that it is fused into.
        public let kernel: String?
    }

    /// Values in the order in which the run makes them.
    public let rows: [Row]
    public let unmatched: [Unmatched]
    /// Values of the run that the reference does not have; those that passes put in are not among them.
    public let notInReference: [String]
    /// `nil` when every value is within tolerance.
    public let firstDivergence: Divergence?
    /// `nil` when nobody asked.
    public let notFinite: NotFiniteReport?
    /// Whether every step read the reference's values in place of those computed before it.
    public let resetsInputs: Bool
    /// The most bytes of values that waited for their counterparts.
    public let mostKeptBytes: Int

    public var outputs: [Row] { rows.filter(\.isOutput) }
    public var beyond: [Row] { rows.filter { !$0.isWithin } }
    public var isWithin: Bool { rows.allSatisfy(\.isWithin) }

    static func label(_ node: String, _ domain: String, _ operatorName: String, _ value: String) -> String {
        let kind = Domains.qualified(operatorName, in: domain)
        return node.isEmpty ? "\(kind) → '\(value)'" : "\(kind) '\(node)'"
    }
}

/// The first node whose results are beyond tolerance though everything that it reads is within.
public struct Divergence: Sendable, Encodable {
    /// What the node reads.
    public struct Input: Sendable, Encodable {
        public enum Kind: String, Sendable, Encodable {
            case compared
            /// A graph input: the same on both sides.
            case fed
            /// A weight; `error` where both models have it under this name.
            case constant
            /// Neither side shows it, or one only.
            case unseen
        }
        public let value: String
        public let kind: Kind
        public let error: TensorError?
    }

    public let step: Int
    public let node: String
    public let domain: String
    public let operatorName: String
    /// Names of the model's nodes that the kernel computes, where that is more than the one.
    public let origins: [String]
    /// Its results, as rows of the comparison.
    public let outputs: [Comparison.Row]
    public let inputs: [Input]
    /// Steps between it and the nearest values that could be compared: the fault may be in one of them instead.
    public let suspects: [String]
    /// Other nodes at which a difference begins, in order.
    public let others: [String]

    /// For messages: `Conv 'layer1.0.conv1'`.
    public var label: String { Comparison.label(node, domain, operatorName, outputs.first?.value ?? "") }
}

/// Where NaN and infinities come from.
public struct NotFiniteReport: Sendable, Encodable {
    /// A node that makes them, or an input or weight that holds them.
    public struct Origin: Sendable, Encodable {
        public enum Kind: String, Sendable, Encodable {
            /// NaN out of finite inputs.
            case nan
            /// NaN out of infinities.
            case nanFromInfinity = "nan_from_infinity"
            /// Infinities out of finite inputs.
            case infinity
            /// A graph input or a weight that was so before.
            case given
        }
        public let kind: Kind
        public let step: Int
        public let node: String
        public let domain: String
        public let operatorName: String
        public let origins: [String]
        public let value: String
        public let contents: Contents
        /// What the node reads, by value name.
        public let inputs: [Input]

        public var label: String { Comparison.label(node, domain, operatorName, value) }
    }

    public struct Input: Sendable, Encodable {
        public let value: String
        public let contents: Contents
    }

    /// What the elements of a value are.
    public struct Contents: Sendable, Hashable, Encodable {
        public internal(set) var count = 0
        public internal(set) var nan = 0
        public internal(set) var infinite = 0
        /// Of the finite elements; `nil` without one.
        public internal(set) var minimum: Double?
        public internal(set) var maximum: Double?
        /// Index of the first element that is not finite, in row-major order.
        public internal(set) var first: Int?

        public var isFinite: Bool { nan == 0 && infinite == 0 }
    }

    /// In the order of the run; the first is where to look.
    public let origins: [Origin]
    /// Values that hold a NaN or an infinity.
    public let affectedCount: Int
    public let valueCount: Int

    public var isFinite: Bool { affectedCount == 0 }
}
