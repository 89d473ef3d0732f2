import GraphIR
import TensorCore

/// Where a node's faults are reported from: its attributes, its types or its run.
package protocol NodePlace {
    /// An error placed at the node.
    func error(_ code: SardonyxError.Code, _ what: String, got: String?, allowed: String?, hint: String?)
        -> SardonyxError
}

extension NodeReader: NodePlace {}
extension InferContext: NodePlace {}
extension RunContext: NodePlace {}

extension PrepareContext: NodePlace {
    package func error(
        _ code: SardonyxError.Code, _ what: String, got: String? = nil, allowed: String? = nil, hint: String? = nil
    ) -> SardonyxError {
        SardonyxError(code, node.label, what, got: got, allowed: allowed, hint: hint)
    }
}

extension NodePlace {
    /// The axis counted from the front.
    /// - Parameter role: for the message, for example `axis`.
    /// - Throws: `shape` when it is not in `[-rank, rank - 1]`.
    package func axis(_ axis: Int, rank: Int, _ role: String = "axis") throws(SardonyxError) -> Int {
        guard axis >= -rank, axis < rank else {
            throw error(.shape, role, got: "\(axis)", allowed: "\(-rank) to \(rank - 1) for rank \(rank)", hint: nil)
        }
        return axis < 0 ? axis + rank : axis
    }

    /// The axes counted from the front, in the order given.
    /// - Throws: `shape` when one is not in `[-rank, rank - 1]` or is named twice.
    package func axes(_ axes: [Int], rank: Int, _ role: String = "axes") throws(SardonyxError) -> [Int] {
        var seen = [Bool](repeating: false, count: rank)
        var result: [Int] = []
        result.reserveCapacity(axes.count)
        for given in axes {
            let axis = try axis(given, rank: rank, role)
            guard !seen[axis] else {
                throw error(.shape, "\(role): axis \(axis) is named twice", got: "\(axes)", allowed: nil, hint: nil)
            }
            seen[axis] = true
            result.append(axis)
        }
        return result
    }

    /// The shape with these extents.
    /// - Throws: `shape` or `limit`, placed at the node, when they cannot be one.
    package func shape(of dims: [Int]) throws(SardonyxError) -> Shape {
        do { return try Shape(dims) } catch {
            throw self.error(error.code, error.message, got: nil, allowed: nil, hint: nil)
        }
    }
}
