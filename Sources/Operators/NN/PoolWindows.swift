import Glibc
import TensorCore

/// Pooling of up to three spatial axes for element types and functions that have no kernel. Plain layout.
struct PoolWindows {
    let planes: Int
    let depth: WindowAxis
    let height: WindowAxis
    let width: WindowAxis

    init?(planes: Int, axes: [WindowAxis]) {
        guard let (depth, height, width) = axes.threeAxes else { return nil }
        (self.planes, self.depth, self.height, self.width) = (planes, depth, height, width)
    }

    /// Calls `start`, then `tap` with the flat position in the plane of every tap inside, then `finish`, for each output.
    @inline(__always)
    private func forEach(
        start: () -> Void, tap: (_ plane: Int, _ d: Int, _ h: Int, _ w: Int) -> Void,
        finish: (_ index: Int, _ d: Int, _ h: Int, _ w: Int) -> Void
    ) {
        var index = 0
        for plane in 0..<planes {
            for od in 0..<depth.output {
                for oh in 0..<height.output {
                    for ow in 0..<width.output {
                        start()
                        for td in depth.insideTaps(od) {
                            for th in height.insideTaps(oh) {
                                for tw in width.insideTaps(ow) {
                                    tap(plane, depth.position(od, td), height.position(oh, th), width.position(ow, tw))
                                }
                            }
                        }
                        finish(index, od, oh, ow)
                        index += 1
                    }
                }
            }
        }
    }

    @inline(__always)
    private func offset(_ plane: Int, _ d: Int, _ h: Int, _ w: Int) -> Int {
        ((plane * depth.input + d) * height.input + h) * width.input + w
    }

    /// The first maximum of each window; a NaN wins. `indices` as ONNX MaxPool defines them.
    func maximum<T: Number>(
        _ x: UnsafeMutableBufferPointer<T>, _ y: UnsafeMutableBufferPointer<T>,
        _ indices: UnsafeMutableBufferPointer<Int64>?, _ columnMajor: Bool
    ) {
        var best: (value: T, index: Int)?
        forEach(
            start: { best = nil },
            tap: { plane, d, h, w in
                let value = x[offset(plane, d, h, w)]
                if let current = best, !(value > current.value || (value.isNaN && !current.value.isNaN)) { return }
                let planeSize = depth.input * height.input * width.input
                let within =
                    columnMajor ? (w * height.input + h) * depth.input + d : (d * height.input + h) * width.input + w
                best = (value, plane * planeSize + within)
            },
            finish: { index, _, _, _ in
                y[index] = best?.value ?? .least
                indices?[index] = Int64(best?.index ?? 0)
            })
    }

    /// The mean over taps inside, or the sum over the taps before `input + padEnd`.
    func average(
        _ x: UnsafeMutableBufferPointer<Double>, _ y: UnsafeMutableBufferPointer<Double>, _ countsPadding: Bool
    ) {
        var sum = 0.0
        var count = 0
        func padded(_ axis: WindowAxis, _ o: Int) -> Int {
            let room = axis.input + axis.padEnd - axis.position(o, 0)
            return min(axis.kernel, (room + axis.dilation - 1) / axis.dilation)
        }
        forEach(
            start: { (sum, count) = (0, 0) },
            tap: { plane, d, h, w in
                sum += x[offset(plane, d, h, w)]
                count += 1
            },
            finish: { index, d, h, w in
                y[index] = sum / Double(countsPadding ? padded(depth, d) * padded(height, h) * padded(width, w) : count)
            })
    }

    /// (sum |x|^p)^(1/p) over each window.
    func norm<T: Number & BinaryFloatingPoint>(
        _ x: UnsafeMutableBufferPointer<T>, _ y: UnsafeMutableBufferPointer<T>, _ p: Double
    ) {
        var sum = 0.0
        forEach(
            start: { sum = 0 },
            tap: { plane, d, h, w in
                let magnitude = abs(x[offset(plane, d, h, w)].asDouble)
                sum += p == 1 ? magnitude : p == 2 ? magnitude * magnitude : pow(magnitude, p)
            },
            finish: { index, _, _, _ in
                y[index] = T(p == 1 ? sum : p == 2 ? sum.squareRoot() : pow(sum, 1 / p))
            })
    }
}
