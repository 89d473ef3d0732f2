import GraphIR
import TensorCore

/// Told before and after every node of a run, on the thread that runs it: the steps of the plan in order, then the
/// nodes of the tail in order.
package protocol StepObserver: AnyObject {
    func willRun(_ node: Node)
    func didRun(_ node: Node)
    /// After `didRun`, for a node of the tail only: what it read and made, whose shapes no plan knows.
    /// - Parameter index: in `DynamicTail.nodes`.
    func didRunTail(_ index: Int, _ inputs: [Tensor?], _ outputs: [Tensor?])
}
