/// The one error type of Sardonyx.
///
/// Reads as `class: place: what; got G, allowed A. hint (while …)`, for example
/// `shape: Conv 'layer1.0.conv1': weight rank; got [64, 3], allowed rank 4 (while inferring shapes)`.
public struct SardonyxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong; decides the exit code of the command.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The bytes are not a model.
        case parse
        /// A stated bound (memory, depth, count, size) would be passed.
        case limit
        /// Valid, but not something this build can do.
        case unsupported
        /// The structure of the graph is wrong.
        case graph
        /// A stored tensor contradicts itself.
        case tensor
        /// External tensor data cannot be read.
        case external
        /// Shapes, ranks or attributes do not fit.
        case shape
        /// What the caller fed does not fit the model's signature.
        case input
        /// A value found at run time is not allowed.
        case value
        case cancelled
        case deadline
        /// A picture cannot be read or written.
        case image
        /// A flag or option is wrong.
        case usage
        /// A broken invariant of ours: a bug.
        case `internal`
    }

    public let code: Code
    /// Where: a file, a node, a tensor, an option.
    public let place: String
    /// What happened, with what was given and what is allowed.
    public let message: String
    /// Enclosing activities, innermost first.
    public private(set) var context: [String]

    public init(
        _ code: Code, _ place: String, _ what: String,
        got: String? = nil, allowed: String? = nil, hint: String? = nil
    ) {
        self.code = code
        self.place = place
        var text = what
        if let got { text += "; got \(got)" }
        if let allowed { text += (got == nil ? "; " : ", ") + "allowed \(allowed)" }
        if let hint { text += ". \(hint)" }
        self.message = text
        self.context = []
    }

    private init(code: Code, place: String, message: String, context: [String]) {
        self.code = code
        self.place = place
        self.message = message
        self.context = context
    }

    /// The same error with one more enclosing activity, for example `inferring shapes`.
    public func adding(context activity: String) -> SardonyxError {
        var copy = self
        copy.context.append(activity)
        return copy
    }

    /// The same error at a more exact place; an existing place is kept behind the new one.
    public func placed(at outer: String) -> SardonyxError {
        SardonyxError(
            code: code, place: place.isEmpty ? outer : "\(outer): \(place)", message: message, context: context)
    }

    public var description: String {
        let head = place.isEmpty ? "\(code.rawValue): \(message)" : "\(code.rawValue): \(place): \(message)"
        guard !context.isEmpty else { return head }
        return head + " (while " + context.joined(separator: ", while ") + ")"
    }
}
