import Execution
import GraphIR
import Operators
import Sardonyx

/// Keeps what the nodes of a model make in a run, as far as there is room.
final class RunRecorder: StepObserver {
    private let graph: Graph
    private var room: Int
    private(set) var tensors: [Name: Tensor] = [:]

    private init(_ graph: Graph, room: Int) {
        self.graph = graph
        self.room = room
    }

    /// The tensors of the main graph, by name, in one run without passes.
    /// - Returns: what was made until the run ended or failed, and why it failed.
    static func record(
        _ model: ModelGraph, inputs: [Name: Tensor], interruption: (any Interruption)?
    ) -> (tensors: [Name: Tensor], fault: SardonyxError?) {
        let recorder = RunRecorder(model.graph, room: SystemLimits.defaultBudget / 2)
        do throws(SardonyxError) {
            let feeds = model.graph.inputs.map { inputs[model.graph[$0].name].map(RuntimeValue.tensor) }
            _ = try NodeByNode(model, threads: SystemLimits.defaultThreads)
                .run(feeds, interruption: interruption, observer: recorder)
            return (recorder.tensors, nil)
        } catch {
            return (recorder.tensors, error)
        }
    }

    func willRun(_ node: Node) {}
    func didRun(_ node: Node) {}

    func didRunTail(_ index: Int, _ inputs: [Tensor?], _ outputs: [Tensor?]) {
        for case let (id?, tensor?) in zip(graph.nodes[index].outputs, outputs) where tensor.byteCount <= room {
            room -= tensor.byteCount
            tensors[graph[id].name] = tensor
        }
    }
}
