import TensorCore

/// Masks of one M × M patch a box, pasted into the picture as torchvision's `paste_masks_in_image` does: the patch and
/// a border of one zero are stretched over the box, which grows by as much and ends at whole pixels.
struct PatchPaster: Sendable {
    private static let padding = 1

    /// Columns and rows of a patch, at least 1.
    let columns: Int
    let rows: Int
    let imageWidth: Int
    let imageHeight: Int
    /// Whether the values go through one before they are resampled.
    let sigmoid: Bool
    /// A pixel whose value is above belongs to the mask.
    let threshold: Float
    let threads: Int

    /// One mask a box.
    /// - Parameter boxes: in the picture's pixels, inside it.
    /// - Throws: `limit` when there is no memory.
    func masks(boxes: [Box<Float>], patches: [UnsafePointer<Float>]) throws(SardonyxError) -> [RLE] {
        let workers = min(max(threads, 1), max(boxes.count, 1))
        // Rows of the picture that a patch reaches are at most all.
        let scratch = try MaskScratch(workers: workers, rows: imageHeight, prototypeRows: rows + 2 * Self.padding)
        let empty = RLE(toggles: [], width: imageWidth, height: imageHeight)
        var masks = [RLE?](repeating: nil, count: boxes.count)
        masks.withUnsafeMutableBufferPointer { slots in
            // Every index writes its own slot.
            nonisolated(unsafe) let (slots, patches) = (slots, patches)
            parallelFor(threads: workers, count: boxes.count) { index, worker in
                slots[index] = try? mask(boxes[index], patches[index], scratch: scratch.of(worker))
            }
        }
        guard masks.allSatisfy({ $0 != nil }) else {
            throw SardonyxError(.limit, "masks", "scratch memory", got: "\(imageWidth)×\(imageHeight)")
        }
        return masks.map { $0 ?? empty }
    }

    private func mask(
        _ box: Box<Float>, _ patch: UnsafePointer<Float>, scratch: MaskScratch.Worker
    ) throws(SardonyxError) -> RLE {
        let across = Self.reach(box.x1, box.x2, patch: columns)
        let down = Self.reach(box.y1, box.y2, patch: rows)
        let blend = ColumnBlend(
            columns: try ResampleAxis(inputs: columns + 2 * Self.padding, outputs: across.count),
            rows: try ResampleAxis(inputs: rows + 2 * Self.padding, outputs: down.count), threshold: threshold,
            origin: (across.start, down.start))
        var runs = RunBuilder(height: imageHeight)
        blend.append(
            across.inside(imageWidth), down.inside(imageHeight), firstRow: 0, scratch: scratch, to: &runs
        ) { column, target in
            guard (Self.padding..<columns + Self.padding).contains(column) else { return false }
            let values = target + 1 + Self.padding
            for row in 0..<rows {
                let value = patch[row * columns + column - Self.padding]
                values[row] = sigmoid ? Sigmoid.of(value) : value
            }
            // The border, and a value more at each end.
            for index in 0...Self.padding {
                target[index] = 0
                values[rows + index] = 0
            }
            return true
        }
        return runs.finish(width: imageWidth)
    }

    /// Whole pixels that a stretched patch lies on: `count` from `start` on.
    private struct Reach {
        let start: Int
        let count: Int

        /// Positions of the patch that are pixels of a picture.
        func inside(_ size: Int) -> Range<Int> {
            let first = max(0, -start)
            return first..<max(first, min(count, size - start))
        }
    }

    /// - Parameter patch: values on a side without the border.
    private static func reach(_ low: Float, _ high: Float, patch: Int) -> Reach {
        let scale = Float(patch + 2 * padding) / Float(patch)
        let half = (high - low) * 0.5 * scale
        let middle = (high + low) * 0.5
        let start = CheckedSize.integer(middle - half) ?? 0
        let end = max(CheckedSize.integer(middle + half) ?? 0, start)
        return Reach(start: start, count: end - start + 1)
    }
}
