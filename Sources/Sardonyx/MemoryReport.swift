/// The arena of a plan over its schedule.
public struct MemoryReport: Sendable, Encodable {
    public struct Step: Sendable, Encodable {
        /// For example `Conv 'layer1.0.conv1'`.
        public let node: String
        /// Of buffers that are in use while the step runs.
        public let liveByteCount: Int
    }

    /// A buffer that is in use at the peak.
    public struct Resident: Sendable, Encodable {
        /// The values in it; empty for the scratch memory of a step.
        public let values: [String]
        /// Of the first value.
        public let type: String?
        public let byteCount: Int
        public let firstStep: Int
        public let lastStep: Int
    }

    public let steps: [Step]
    /// The first step with the most bytes in use; `nil` without steps.
    public let peakStep: Int?
    /// In use at `peakStep`; what the arena takes beyond it are gaps between buffers.
    public let peakLiveByteCount: Int
    public let arenaByteCount: Int
    /// The arena and the results.
    public let peakByteCount: Int
    /// What makes the peak, the largest first.
    public let residents: [Resident]
}

extension PlanReport {
    /// How full the arena is at each step. Values that the caller owns (inputs, outputs) and weights are not in it.
    public var memory: MemoryReport {
        var labels = [String](repeating: "", count: stepCount)
        for node in graph.nodes {
            guard let step = node.step, labels.indices.contains(step) else { continue }
            labels[step] = node.operatorName + (node.name.isEmpty ? "" : " '\(node.name)'")
        }
        var changes = [Int](repeating: 0, count: stepCount + 1)
        for buffer in buffers where buffer.lastStep < stepCount {
            changes[buffer.firstStep] += buffer.byteCount
            changes[buffer.lastStep + 1] -= buffer.byteCount
        }
        var live = 0
        let steps = labels.indices.map { step in
            live += changes[step]
            return MemoryReport.Step(node: labels[step], liveByteCount: live)
        }
        let most = steps.map(\.liveByteCount).max() ?? 0
        let peak = steps.firstIndex { $0.liveByteCount == most }
        let residents = buffers.filter { buffer in peak.map { buffer.firstStep...buffer.lastStep ~= $0 } ?? false }
        return MemoryReport(
            steps: steps, peakStep: peak, peakLiveByteCount: most, arenaByteCount: arenaByteCount,
            peakByteCount: peakByteCount,
            residents: residents.sorted { $0.byteCount > $1.byteCount }.map { buffer in
                MemoryReport.Resident(
                    values: buffer.values.map { graph.values[$0].name },
                    type: buffer.values.first.map { graph.values[$0].type }, byteCount: buffer.byteCount,
                    firstStep: buffer.firstStep, lastStep: buffer.lastStep)
            })
    }
}
