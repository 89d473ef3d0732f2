import GraphIR
import TensorCore

/// ONNX NonMaxSuppression (10-11): per image and class the boxes in order of score that overlap no better one;
/// output `[count, 3]` of image, class and box. Boxes `[N, B, 4]` float32, scores `[N, classes, B]`.
///
/// Boxes with a NaN score or corner are never selected.
struct NonMaxSuppression: Operator {
    static let elementTypes: [DType] = [.float32]
    private let usesCenters: Bool

    init(_ node: NodeReader) throws(SardonyxError) {
        usesCenters = try node.bool("center_point_box", default: false)
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        for (index, role) in ["boxes", "scores"].enumerated() {
            try context.requireRank(index, 3...3, role)
            try context.requireDType(index, [.float32], role)
        }
        if let limit = try context.integers(2)?.first { try check(limit, at: context) }
        return [Inferred(.int64, [.unknown, .known(3)])]
    }

    private func check(_ limit: Int, at place: some NodePlace) throws(SardonyxError) {
        guard limit >= 0 else {
            throw place.error(.value, "max_output_boxes_per_class", got: "\(limit)", allowed: "0 or more", hint: nil)
        }
    }

    private struct Box {
        var x0: Float
        var y0: Float
        var x1: Float
        var y1: Float
        var area: Float { (x1 - x0) * (y1 - y0) }
        var hasNaN: Bool { (x0 + y0 + x1 + y1).isNaN }

        init(_ p: UnsafePointer<Float>, isCenter: Bool) {
            if isCenter {
                (x0, y0, x1, y1) = (p[0] - p[2] / 2, p[1] - p[3] / 2, p[0] + p[2] / 2, p[1] + p[3] / 2)
            } else {
                (y0, x0, y1, x1) = (min(p[0], p[2]), min(p[1], p[3]), max(p[0], p[2]), max(p[1], p[3]))
                if p[0].isNaN || p[1].isNaN || p[2].isNaN || p[3].isNaN { x0 = .nan }
            }
        }

        func overlap(_ other: Box) -> Float {
            let width = min(x1, other.x1) - max(x0, other.x0)
            let height = min(y1, other.y1) - max(y0, other.y0)
            guard width > 0, height > 0 else { return 0 }
            let intersection = width * height
            return intersection / (area + other.area - intersection)
        }
    }

    /// Comes before those of lower scores, and of equal scores those behind it.
    fileprivate struct Candidate: Comparable {
        let score: Float
        let index: Int

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.score > b.score || a.score == b.score && a.index < b.index
        }
    }

    private func scalar(_ index: Int, _ context: RunContext) throws(SardonyxError) -> Float? {
        guard context.hasInput(index) else { return nil }
        let view = try context.input(index)
        guard view.dtype == .float32, view.elementCount == 1 else {
            throw context.error(.shape, "input \(index)", got: "\(view.dtype)\(view.shape)", allowed: "one float32")
        }
        return view.floats[0]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let boxes = try context.input(0)
        let scores = try context.input(1)
        let (images, count, classes) = (boxes.shape[0], boxes.shape[1], scores.shape[1])
        guard boxes.shape[2] == 4, scores.shape[0] == images, scores.shape[2] == count else {
            throw context.error(
                .shape, "boxes and scores", got: "\(boxes.shape) and \(scores.shape)",
                allowed: "[N, B, 4] and [N, C, B]")
        }
        let limit = try context.integer(2) ?? 0
        try check(limit, at: context)
        let overlapLimit = try scalar(3, context) ?? 0
        let scoreLimit = try scalar(4, context)
        var selected: [Int64] = []
        var comparisons = 0
        for image in 0..<(limit == 0 || count == 0 ? 0 : images) {
            let all = (0..<count).map { Box(boxes.floats + (image * count + $0) * 4, isCenter: usesCenters) }
            for kind in 0..<classes {
                try context.interruption?.check()
                try context.budget.check(
                    8 * (selected.count + 3 * min(limit, count) + 6 * count), for: context.label)
                let score = scores.floats + (image * classes + kind) * count
                var candidates: [Candidate] = []
                for index in 0..<count {
                    let value = score[index]
                    guard !value.isNaN, scoreLimit.map({ value > $0 }) ?? true, !all[index].hasNaN else { continue }
                    candidates.append(Candidate(score: value, index: index))
                }
                candidates.makeHeap()
                var kept: [Int] = []
                while kept.count < limit, let index = candidates.popFirst()?.index {
                    comparisons += kept.count + 1024
                    if comparisons >= 1 << 20 {
                        comparisons = 0
                        try context.interruption?.check()
                    }
                    guard kept.allSatisfy({ all[index].overlap(all[$0]) <= overlapLimit }) else { continue }
                    kept.append(index)
                    selected += [Int64(image), Int64(kind), Int64(index)]
                }
            }
        }
        let output = try context.output(0, dtype: .int64, shape: try context.shape(of: [selected.count / 3, 3]))
        for index in selected.indices { output.elements(Int64.self)[index] = selected[index] }
    }
}

/// A heap with the first candidate in front: as a rule far fewer are taken than there are.
extension [NonMaxSuppression.Candidate] {
    fileprivate mutating func makeHeap() {
        for root in (0..<count / 2).reversed() { sink(root) }
    }

    fileprivate mutating func popFirst() -> Element? {
        guard let last = popLast() else { return nil }
        guard let result = first else { return last }
        self[0] = last
        sink(0)
        return result
    }

    private mutating func sink(_ start: Int) {
        withUnsafeMutableBufferPointer { heap in
            let moved = heap[start]
            var root = start
            while 2 * root + 1 < heap.count {
                var child = 2 * root + 1
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < moved else { break }
                heap[root] = heap[child]
                root = child
            }
            heap[root] = moved
        }
    }
}
