import CKernels
import GraphIR
import Operators
import TensorCore

/// The memory and the prepared arguments of one run of a plan; used by one run at a time and kept for the next.
final class Workspace {
    private let plan: Plan
    private let arena: Buffer
    private let contexts: [RunContext]
    private let threads: Int
    /// Arguments whose address changes with every run.
    private var feedUses: [Use] = []
    private var resultUses: [Use] = []

    private struct Use {
        let step: Int
        let position: Int
        let isInput: Bool
        let index: Int
        let byteOffset: Int
    }

    init(plan: Plan, options: ExecutionOptions) throws(SardonyxError) {
        self.plan = plan
        self.threads = options.threads
        let arena = try Buffer(byteCount: plan.arenaByteCount)
        self.arena = arena
        var contexts: [RunContext] = []
        for (index, step) in plan.steps.enumerated() {
            for (position, operand) in step.inputs.enumerated() {
                Self.note(operand, index, position, true, &feedUses, &resultUses)
            }
            for (position, operand) in step.outputs.enumerated() {
                Self.note(operand, index, position, false, &feedUses, &resultUses)
            }
            let view = { (operand: Plan.Operand?) -> TensorView? in
                guard let operand else { return nil }
                let base: UnsafeMutableRawPointer =
                    if case .constant(let index) = operand.base {
                        UnsafeMutableRawPointer(mutating: plan.constants[index].pointer)
                    } else { arena.pointer }
                let offset: Int =
                    switch operand.base {
                    case .arena, .constant: operand.byteOffset
                    case .feed, .result: 0
                    }
                return TensorView(
                    dtype: operand.info.dtype, shape: operand.info.shape, layout: operand.info.layout,
                    pointer: base + offset)
            }
            contexts.append(
                RunContext(
                    label: step.node.label, inputs: step.inputs.map(view), outputs: step.outputs.map(view),
                    scratch: step.scratchOffset.map { arena.pointer + $0 }, threads: options.threads,
                    budget: options.budget))
        }
        self.contexts = contexts
    }

    private static func note(
        _ operand: Plan.Operand?, _ step: Int, _ position: Int, _ isInput: Bool, _ feeds: inout [Use],
        _ results: inout [Use]
    ) {
        guard let operand else { return }
        switch operand.base {
        case .feed(let index):
            feeds.append(
                Use(step: step, position: position, isInput: isInput, index: index, byteOffset: operand.byteOffset))
        case .result(let index):
            results.append(
                Use(step: step, position: position, isInput: isInput, index: index, byteOffset: operand.byteOffset))
        case .arena, .constant: break
        }
    }

    /// Runs all steps, with one team of threads from the first to the last. Allocates nothing.
    /// - Parameters:
    ///   - feeds: by graph input.
    ///   - results: by plan result, already allocated; every byte is written.
    func run(
        feeds: [Tensor], results: [Tensor], interruption: Interruption?, observer: StepObserver?
    ) throws(SardonyxError) {
        bind(feeds: feeds, results: results)
        var steps = StepsRun(workspace: self, interruption: interruption, observer: observer)
        let processors = Int32(SystemLimits.processors)
        withUnsafeMutablePointer(to: &steps) {
            sx_with_team(
                Int32(threads), processors, { $0?.assumingMemoryBound(to: StepsRun.self).pointee.run() }, $0)
        }
        if let fault = steps.fault { throw fault }
        copyResults(feeds: feeds, results: results)
        withExtendedLifetime((feeds, results)) {}
    }

    /// Lets the steps read and write these tensors, which must outlive the run.
    func bind(feeds: [Tensor], results: [Tensor]) {
        bind(feedUses, feeds)
        bind(resultUses, results)
    }

    /// After the last step: the results that are computed elsewhere.
    func copyResults(feeds: [Tensor], results: [Tensor]) {
        for (index, result) in plan.results.enumerated() {
            guard let (base, offset) = result.copiedFrom else { continue }
            let source: UnsafeRawPointer =
                switch base {
                case .arena: UnsafeRawPointer(arena.pointer)
                case .feed(let feed): feeds[feed].pointer
                case .result(let other): results[other].pointer
                case .constant(let constant): plan.constants[constant].pointer
                }
            results[index].buffer.pointer.copyMemory(from: source + offset, byteCount: results[index].byteCount)
        }
    }

    /// The arguments of a step; their memory holds what they name from the step that makes it to the last that reads it.
    func arguments(of step: Int) -> (inputs: [TensorView?], outputs: [TensorView?]) {
        (contexts[step].inputs, contexts[step].outputs)
    }

    /// Runs one step by itself.
    func runStep(_ index: Int, _ interruption: Interruption?) throws(SardonyxError) {
        let context = contexts[index]
        try interruption?.check()
        context.interruption = interruption
        defer { context.interruption = nil }
        try plan.steps[index].op.run(context)
    }

    /// What the team's leader does; C hands on a pointer to it.
    private struct StepsRun {
        let workspace: Workspace
        let interruption: Interruption?
        let observer: StepObserver?
        var fault: SardonyxError?

        mutating func run() {
            do throws(SardonyxError) { try workspace.runSteps(interruption, observer) } catch { fault = error }
        }
    }

    private func runSteps(_ interruption: Interruption?, _ observer: StepObserver?) throws(SardonyxError) {
        for index in contexts.indices {
            observer?.willRun(plan.steps[index].node)
            try runStep(index, interruption)
            observer?.didRun(plan.steps[index].node)
        }
    }

    private func bind(_ uses: [Use], _ tensors: [Tensor]) {
        for use in uses {
            let pointer = UnsafeMutableRawPointer(mutating: tensors[use.index].pointer) + use.byteOffset
            if use.isInput {
                contexts[use.step].inputs[use.position]?.pointer = pointer
            } else {
                contexts[use.step].outputs[use.position]?.pointer = pointer
            }
        }
    }
}
