import CKernels
import TensorCore

/// The best class of every pixel of a picture, and its softmax probability: class maps over the network's input sampled
/// bilinearly at the picture's pixels, then compared. Column-major, as run lengths are.
struct ClassMap {
    private let classes: Int
    private let width: Int
    private let height: Int
    /// -1 where no class is a number.
    private var best: [Int32]
    private var probabilities: [Float]

    /// All pixels of one class.
    struct Region {
        let classIndex: Int
        /// The mean probability of its pixels.
        let score: Float
        let mask: RLE
    }

    /// - Parameter logits: `[C, h, w]`, not empty.
    /// - Throws: `limit` when there is no memory.
    init(_ logits: HeadTensor, _ placement: Placement, threads: Int) throws(SardonyxError) {
        classes = logits.dims[0]
        (width, height) = (placement.imageWidth, placement.imageHeight)
        let source = try PrototypeColumns(
            logits.values, height: logits.dims[1], width: logits.dims[2], count: classes, order: .channelsFirst,
            threads: threads)
        let (columns, rows) = try placement.axes(columns: source.width, rows: source.height)
        let workers = min(max(threads, 1), width)
        let lanes = Int(SX_DETECT_LANES)
        guard let blended = CheckedSize.roundUp(source.height + 2, to: lanes),
            let stretched = CheckedSize.roundUp(height, to: lanes),
            let planes = CheckedSize.product(classes, stretched), let each = CheckedSize.sum(blended, planes),
            let bytes = CheckedSize.product(each, workers, 4), Int32(exactly: classes) != nil
        else {
            throw SardonyxError(.limit, "semantic", "scratch memory", got: "\(classes) classes, \(height) rows")
        }
        let scratch = try Buffer(byteCount: bytes)
        defer { withExtendedLifetime((columns, rows, scratch, source)) {} }
        best = [Int32](repeating: -1, count: width * height)
        probabilities = [Float](repeating: 0, count: width * height)
        let (classes, height) = (classes, height)
        best.withUnsafeMutableBufferPointer { best in
            probabilities.withUnsafeMutableBufferPointer { probabilities in
                // Every column writes its own pixels, every worker its own scratch.
                nonisolated(unsafe) let (best, probabilities) = (best, probabilities)
                nonisolated(unsafe) let memory = scratch.pointer.assumingMemoryBound(to: Float.self)
                parallelFor(threads: workers, count: width) { column, worker in
                    let blend = memory + worker * each
                    let values = blend + blended
                    let index = columns.index(column)
                    let (first, second) = (source.column(index), source.column(min(index + 1, source.width - 1)))
                    let weight = columns.weight(column)
                    for classIndex in 0..<classes {
                        let (a, b) = (first + classIndex * source.stride, second + classIndex * source.stride)
                        for row in 0..<source.height { blend[row + 1] = a[row] * (1 - weight) + b[row] * weight }
                        blend[0] = blend[1]
                        blend[source.height + 1] = blend[source.height]
                        sx_detect_stretch(
                            blend, -1, rows.kernelAxis(), Int64(height), values + classIndex * stretched)
                    }
                    let start = column * height
                    ClassMap.select(
                        values, classes: classes, stride: stretched,
                        best: UnsafeMutableBufferPointer(rebasing: best[start..<start + height]),
                        probabilities: UnsafeMutableBufferPointer(rebasing: probabilities[start..<start + height]))
                }
            }
        }
    }

    /// The best of `values` [classes, stride] and its probability, at each position of `best`; overwrites `values`.
    private static func select(
        _ values: UnsafeMutablePointer<Float>, classes: Int, stride: Int, best: UnsafeMutableBufferPointer<Int32>,
        probabilities: UnsafeMutableBufferPointer<Float>
    ) {
        probabilities.update(repeating: -.infinity)
        for classIndex in 0..<classes {
            let plane = values + classIndex * stride
            for row in best.indices {
                let isBetter = plane[row] > probabilities[row]
                probabilities[row] = isBetter ? plane[row] : probabilities[row]
                best[row] = isBetter ? Int32(truncatingIfNeeded: classIndex) : best[row]
            }
        }
        sx_softmax(values, values, 1, Int64(classes), Int64(stride), false, 1)
        for row in best.indices where best[row] >= 0 {
            let probability = values[Int(best[row]) * stride + row]
            if probability.isNaN { best[row] = -1 }
            probabilities[row] = probability
        }
    }

    /// The classes that occur, in their order.
    func regions() -> [Region] {
        var toggles = [[UInt32]](repeating: [], count: classes)
        var sums = [Double](repeating: 0, count: classes)
        var areas = [Int](repeating: 0, count: classes)
        var previous: Int32 = -1
        for position in best.indices {
            let current = best[position]
            if current != previous {
                let toggle = UInt32(truncatingIfNeeded: position)
                if previous >= 0 { toggles[Int(previous)].append(toggle) }
                if current >= 0 { toggles[Int(current)].append(toggle) }
                previous = current
            }
            guard current >= 0 else { continue }
            sums[Int(current)] += Double(probabilities[position])
            areas[Int(current)] += 1
        }
        return (0..<classes).filter { areas[$0] > 0 }.map { index in
            Region(
                classIndex: index, score: Float(sums[index] / Double(areas[index])),
                mask: RLE(toggles: toggles[index], width: width, height: height))
        }
    }
}
