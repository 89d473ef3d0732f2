import TensorCore

/// One picture's share of the outputs, checked; the addresses are valid while the tensors live.
struct InstancesOutputs {
    /// D.
    let count: Int
    let labels: WholeNumbers
    private let boxes: UnsafePointer<Float>
    private let boxStep: Int
    private let scores: UnsafePointer<Float>
    private let scoreStep: Int
    let masks: Masks?

    /// A map or patch a detection.
    struct Masks {
        let name: String
        let columns: Int
        let rows: Int
        private let tensor: Tensor
        private let offset: Int

        /// - Parameter batchIndex: `nil` for detections without a batch axis.
        /// - Throws: `input` when it is none of `[D, 1, h, w]`, `[D, h, w]` and `[N, D, h, w]`.
        init(_ tensor: Tensor, name: String, batchIndex: Int?, count: Int) throws(SardonyxError) {
            guard [.float32, .uint8, .bool].contains(tensor.dtype) else {
                throw SardonyxError(
                    .input, "output '\(name)'", "type", got: "\(tensor.dtype)", allowed: "float32, uint8, bool")
            }
            let dims = tensor.shape.dims
            let size = Array(dims.suffix(2))
            let allowed: [[Int]] =
                batchIndex == nil
                ? [[count, 1] + size, [count] + size, [1, count] + size] : [dims.prefix(1) + [count] + size]
            guard size.count == 2, !size.contains(0), allowed.contains(dims), (batchIndex ?? 0) < max(dims[0], 1)
            else {
                throw SardonyxError(
                    .input, "output '\(name)'", "shape", got: "\(tensor.shape)",
                    allowed: batchIndex == nil
                        ? "[\(count), 1, h, w], [\(count), h, w] or [1, \(count), h, w]" : "[N, \(count), h, w]")
            }
            self.name = name
            (rows, columns) = (size[0], size[1])
            self.tensor = tensor
            offset = (batchIndex ?? 0) * count * rows * columns
        }

        func map(_ index: Int) -> MapMasks.Values {
            let position = offset + index * rows * columns
            let start = tensor.pointer + position * tensor.dtype.byteSize
            return tensor.dtype == .float32
                ? .floats(start.assumingMemoryBound(to: Float.self))
                : .bytes(start.assumingMemoryBound(to: UInt8.self))
        }

        /// - Throws: `input` when the masks are no floats.
        func patch(_ index: Int) throws(SardonyxError) -> UnsafePointer<Float> {
            guard case .floats(let values) = map(index) else {
                throw SardonyxError(
                    .input, "output '\(name)'", "type of patches", got: "\(tensor.dtype)", allowed: "float32")
            }
            return values
        }
    }

    /// - Throws: `input` naming the output that is missing or does not fit the others.
    init(_ outputs: [String: Tensor], _ roles: OutputRoles, batchIndex: Int) throws(SardonyxError) {
        func share(_ role: String, rank: Int) throws(SardonyxError) -> HeadTensor {
            let batched = try roles.output(role, of: outputs).tensor.shape.rank != rank
            return try roles.floats(role, of: outputs, batchIndex: batched ? batchIndex : nil, rank: rank)
        }
        let isMerged = roles.has("dets")
        let first = try share(isMerged ? "dets" : "boxes", rank: 2)
        try first.expect([nil, isMerged ? 5 : 4])
        count = first.dims[0]
        (boxes, boxStep) = (first.values, isMerged ? 5 : 4)
        if isMerged {
            (scores, scoreStep) = (first.values + 4, 5)
        } else {
            let second = try share("scores", rank: 1)
            try second.expect([count])
            (scores, scoreStep) = (second.values, 1)
        }
        let isBatched = try roles.output(isMerged ? "dets" : "boxes", of: outputs).tensor.shape.rank == 3
        guard isBatched || batchIndex == 0 else {
            throw SardonyxError(.input, "batch index", "the outputs are one picture's", got: "\(batchIndex)")
        }
        let (labelName, labelTensor) = try roles.output("labels", of: outputs)
        labels = try WholeNumbers(
            labelTensor, name: labelName, batchIndex: labelTensor.shape.rank == 1 ? nil : batchIndex, rank: 1)
        guard labels.dims == [count] else {
            throw SardonyxError(
                .input, "output '\(labelName)'", "shape of a picture's share", got: "\(labels.dims)",
                allowed: "[\(count)]")
        }
        guard roles.has("masks") else {
            masks = nil
            return
        }
        let (name, tensor) = try roles.output("masks", of: outputs)
        masks =
            tensor.shape.elementCount == 0 && count == 0
            ? nil : try Masks(tensor, name: name, batchIndex: isBatched ? batchIndex : nil, count: count)
    }

    func score(_ index: Int) -> Float { scores[index * scoreStep] }

    func box(_ index: Int, _ corners: InstancesParameters.Corners) -> Box<Float> {
        let start = boxes + index * boxStep
        switch corners {
        case .xyxy: return Box(x1: start[0], y1: start[1], x2: start[2], y2: start[3])
        case .cxcywh: return Box(center: start)
        }
    }
}
