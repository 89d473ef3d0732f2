import Execution
import GraphIR
import Operators
import TensorCore

/// Turns the samples of a recorder into a profile.
struct ProfileBuilder {
    let plan: Plan
    let recorder: StepRecorder
    let machine: Profile.Machine
    let opsets: [String: Int]
    let warmUp: Int

    func profile() -> Profile {
        let rounds = recorder.runs.count
        let times = (0..<recorder.stepCount).map { step in median(of: step) { Double($0.nanoseconds) * 1e-6 } }
        let outside = Self.median(
            (0..<rounds).map { round in
                let inside = samples(of: round).reduce(0) { $0 + $1.nanoseconds }
                return Double(recorder.runs[round].end - recorder.runs[round].start - inside) * 1e-6
            })
        let total = times.reduce(outside, +)
        let steps = times.indices.map { step(at: $0, milliseconds: times[$0], of: total) }
        let whole = Self.median(recorder.runs.map { Double($0.end - $0.start) * 1e-6 })
        return Profile(
            machine: machine, rounds: rounds, warmUp: warmUp,
            run: Profile.Cost(steps.map(\.cost), milliseconds: whole, of: whole, on: machine),
            outsideMilliseconds: outside, steps: steps,
            operators: totals(steps, total) { $0.kind },
            algorithms: totals(steps.filter { !$0.algorithm.isEmpty }, total) { $0.method },
            reorders: self.total("Reorder", steps.filter(\.isReorder), total), timeline: timeline())
    }

    // MARK: Steps

    private func step(at index: Int, milliseconds: Double, of total: Double) -> Profile.Step {
        let isPlanned = index < plan.steps.count
        let content = isPlanned ? planned(plan.steps[index]) : dynamic(index - plan.steps.count)
        let samples = samples(ofStep: index)
        let imbalances = samples.filter { $0.threads > 1 && $0.mean > 0 }.map {
            Double($0.busiest) / Double($0.mean)
        }
        return Profile.Step(
            name: content.node.name.string, domain: content.node.domain, operatorName: content.node.opType,
            algorithm: content.algorithm, inputs: content.inputs, outputs: content.outputs,
            origins: content.node.origins.map(\.string), isPlanned: isPlanned,
            cost: Profile.Cost(
                milliseconds: milliseconds, of: total, multiplyAccumulates: content.cost.multiplyAccumulates,
                executed: content.cost.executedMultiplyAccumulates, byteCount: content.cost.byteCount, on: machine),
            threads: Int(samples.map(\.threads).max().map { max($0, 1) } ?? 1),
            regions: Int(samples.map(\.regions).max() ?? 0),
            parallelMilliseconds: Self.median(samples.map { Double($0.busiest) * 1e-6 }),
            imbalance: imbalances.isEmpty ? nil : Self.median(imbalances))
    }

    private struct Content {
        let node: Node
        let algorithm: String
        let inputs: [ModelReport.ValueReport?]
        let outputs: [ModelReport.ValueReport?]
        let cost: Plan.Cost
    }

    private func planned(_ step: Plan.Step) -> Content {
        func report(_ value: ValueID?) -> ModelReport.ValueReport? {
            value.map { ModelReport.ValueReport(plan.graph[$0]) }
        }
        return Content(
            node: step.node, algorithm: step.op.algorithm, inputs: step.node.inputs.map(report),
            outputs: step.node.outputs.map(report), cost: step.cost)
    }

    /// A node of the tail, with the shapes of the last round.
    private func dynamic(_ index: Int) -> Content {
        let (inputs, outputs) = recorder.tail[index]
        let node = plan.tail?.nodes[index] ?? Node(name: Name(""), opType: "", inputs: [], outputs: [])
        func reports(_ values: [ValueID?], _ infos: [TensorInfo?]) -> [ModelReport.ValueReport?] {
            zip(values, infos).map { value, info in
                value.map { id in
                    ModelReport.ValueReport(
                        name: plan.graph[id].name.string, type: info.map { "\($0.dtype)\($0.shape)" } ?? "?",
                        layout: Layout.plain.description, isConstant: plan.graph[id].constant != nil)
                }
            }
        }
        let op = try? OperatorTable.makeOperator(for: node, opset: opsets[node.domain] ?? 1)
        let sizes = (inputs + outputs).map { $0.map { $0.shape.elementCount * $0.dtype.byteSize } ?? 0 }
        return Content(
            node: node, algorithm: op?.algorithm ?? "", inputs: reports(node.inputs, inputs),
            outputs: reports(node.outputs, outputs),
            cost: Plan.Cost(
                multiplyAccumulates: op?.multiplyAccumulates(inputs, outputs) ?? 0,
                executedMultiplyAccumulates: op?.executedMultiplyAccumulates(inputs, outputs) ?? 0,
                byteCount: CheckedSize.sum(sizes) ?? .max))
    }

    // MARK: Totals

    private func totals(
        _ steps: [Profile.Step], _ total: Double, by name: (Profile.Step) -> String
    ) -> [Profile.Total] {
        Dictionary(grouping: steps, by: name).map { self.total($0, $1, total) }.sorted {
            ($1.cost.milliseconds, $0.name) < ($0.cost.milliseconds, $1.name)
        }
    }

    private func total(_ name: String, _ steps: [Profile.Step], _ total: Double) -> Profile.Total {
        Profile.Total(
            name: name, stepCount: steps.count, cost: Profile.Cost(steps.map(\.cost), of: total, on: machine))
    }

    // MARK: Samples

    private func samples(of round: Int) -> ArraySlice<StepRecorder.Sample> {
        recorder.samples[round * recorder.stepCount..<(round + 1) * recorder.stepCount]
    }

    private func samples(ofStep step: Int) -> [StepRecorder.Sample] {
        stride(from: step, to: recorder.samples.count, by: recorder.stepCount).map { recorder.samples[$0] }
    }

    private func median(of step: Int, _ value: (StepRecorder.Sample) -> Double) -> Double {
        Self.median(samples(ofStep: step).map(value))
    }

    /// The mean of the two middle ones for an even count; 0 without any.
    private static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    private func timeline() -> Profile.Timeline {
        let (round, run) = recorder.fastest
        func milliseconds(_ time: Int64) -> Double { Double(time - run.start) * 1e-6 }
        let spans = samples(of: round).enumerated().map { step, sample in
            let rows = run.workers[step * recorder.workerCount..<(step + 1) * recorder.workerCount]
            return Profile.Timeline.Span(
                startMilliseconds: milliseconds(sample.start), endMilliseconds: milliseconds(sample.end),
                workers: rows.enumerated().filter { $1.first > 0 }.map { worker, row in
                    Profile.Timeline.Worker(
                        worker: worker, startMilliseconds: milliseconds(row.first),
                        endMilliseconds: milliseconds(row.last), busyMilliseconds: Double(row.busy) * 1e-6)
                })
        }
        return Profile.Timeline(milliseconds: Double(run.nanoseconds) * 1e-6, steps: spans)
    }
}
