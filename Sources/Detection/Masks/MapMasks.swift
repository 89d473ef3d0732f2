import CKernels
import TensorCore

/// Instance masks from one map each over the network's input: sampled bilinearly at the picture's pixels and
/// thresholded.
struct MapMasks: Sendable {
    /// A map `[rows, columns]`; valid while its tensor lives.
    enum Values {
        case floats(UnsafePointer<Float>)
        /// Zeros and ones.
        case bytes(UnsafePointer<UInt8>)
    }

    /// Source columns that are gathered together: a cache line of floats.
    private static let block = 16

    private let blend: ColumnBlend
    private let sigmoid: Bool
    private let threads: Int

    /// - Parameters:
    ///   - columns: extents of every map, at least 1.
    ///   - sigmoid: whether the values go through one before they are resampled.
    ///   - threshold: a pixel whose value is above belongs to the mask.
    /// - Throws: `limit` when there is no memory.
    init(
        columns: Int, rows: Int, placement: Placement, sigmoid: Bool, threshold: Float, threads: Int
    ) throws(SardonyxError) {
        let axes = try placement.axes(columns: columns, rows: rows)
        blend = ColumnBlend(columns: axes.columns, rows: axes.rows, threshold: threshold)
        self.sigmoid = sigmoid
        self.threads = max(threads, 1)
    }

    /// One mask a map.
    /// - Throws: `limit` when there is no memory.
    func masks(_ maps: [Values]) throws(SardonyxError) -> [RLE] {
        let workers = min(threads, max(maps.count, 1))
        let (width, height) = (blend.columns.outputs, blend.rows.outputs)
        let scratch = try MaskScratch(workers: workers, rows: height, prototypeRows: blend.rows.inputs)
        guard let stride = CheckedSize.roundUp(blend.rows.inputs, to: 16),
            let bytes = CheckedSize.product(workers, Self.block, stride, 4)
        else { throw SardonyxError(.limit, "masks", "scratch memory", got: "\(blend.rows.inputs) rows") }
        let blocks = try Buffer(byteCount: bytes)
        defer { withExtendedLifetime(blocks) {} }
        var masks = [RLE](repeating: RLE(toggles: [], width: width, height: height), count: maps.count)
        masks.withUnsafeMutableBufferPointer { slots in
            // Every index writes its own slot.
            nonisolated(unsafe) let (slots, maps) = (slots, maps)
            nonisolated(unsafe) let memory = blocks.pointer.assumingMemoryBound(to: Float.self)
            parallelFor(threads: workers, count: maps.count) { index, worker in
                slots[index] = mask(
                    maps[index], block: memory + worker * Self.block * stride, stride: stride,
                    scratch: scratch.of(worker))
            }
        }
        return masks
    }

    private func mask(
        _ map: Values, block: UnsafeMutablePointer<Float>, stride: Int, scratch: MaskScratch.Worker
    ) -> RLE {
        var runs = RunBuilder(height: blend.rows.outputs)
        var held = -1
        let one: [Float] = [1]
        let count = blend.rows.inputs
        blend.append(
            0..<blend.columns.outputs, 0..<blend.rows.outputs, firstRow: 0, scratch: scratch, to: &runs
        ) { column, target in
            if column / Self.block != held {
                held = column / Self.block
                let first = held * Self.block
                gather(map, first..<min(first + Self.block, blend.columns.inputs), to: block, stride: stride)
            }
            sx_detect_combine(
                block + column % Self.block * stride, Int64(stride), one, 1, Int64(count), sigmoid, target + 1)
            // The edges repeat.
            target[0] = target[1]
            target[count + 1] = target[count]
            return true
        }
        return runs.finish(width: blend.columns.outputs)
    }

    /// Columns of the map become rows of `block`.
    private func gather(
        _ map: Values, _ columns: Range<Int>, to block: UnsafeMutablePointer<Float>, stride: Int
    ) {
        for row in 0..<blend.rows.inputs {
            let offset = row * blend.columns.inputs + columns.lowerBound
            switch map {
            case .floats(let values):
                for index in 0..<columns.count { block[index * stride + row] = values[offset + index] }
            case .bytes(let values):
                for index in 0..<columns.count { block[index * stride + row] = values[offset + index] == 0 ? 0 : 1 }
            }
        }
    }
}
