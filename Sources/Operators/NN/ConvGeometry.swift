import CKernels
import GraphIR
import TensorCore

/// Concrete extents of a convolution, and its plain double-precision computation.
struct ConvGeometry: Sendable {
    var batch: Int
    /// Channels of x and of y.
    var input: Int
    var output: Int
    var groups: Int
    /// Spatial axes, outermost first.
    var axes: [WindowAxis]

    /// For one or two spatial axes.
    func planarShape(from layout: Layout, to outputLayout: sx_layout) -> sx_conv_shape {
        let height = axes.count > 1 ? axes[0] : WindowAxis()
        let width = axes[axes.count - 1]
        var shape = sx_conv_shape()
        shape.n = Int64(batch)
        shape.c = Int64(input)
        shape.h = Int64(height.input)
        shape.w = Int64(width.input)
        shape.k = Int64(output)
        shape.kh = Int64(height.kernel)
        shape.kw = Int64(width.kernel)
        shape.oh = Int64(height.output)
        shape.ow = Int64(width.output)
        shape.stride_h = Int64(height.stride)
        shape.stride_w = Int64(width.stride)
        shape.dilation_h = Int64(height.dilation)
        shape.dilation_w = Int64(width.dilation)
        shape.pad_top = Int64(height.padBegin)
        shape.pad_left = Int64(width.padBegin)
        shape.groups = Int64(groups)
        shape.input_layout = layout.kernelLayout
        shape.output_layout = outputLayout
        return shape
    }

    var kernelShape: sx_conv_nd_shape {
        var shape = sx_conv_nd_shape()
        shape.n = Int64(batch)
        shape.c = Int64(input)
        shape.k = Int64(output)
        shape.groups = Int64(groups)
        shape.spatial_rank = Int32(axes.count)
        fillExtents(&shape.in, axes.map(\.input))
        fillExtents(&shape.out, axes.map(\.output))
        fillExtents(&shape.kernel, axes.map(\.kernel))
        fillExtents(&shape.stride, axes.map(\.stride))
        fillExtents(&shape.dilation, axes.map(\.dilation))
        fillExtents(&shape.pad_begin, axes.map(\.padBegin))
        return shape
    }

    /// y `[N, K, o…]` = x `[N, C, d…]` convolved with w `[K, C/groups, k…]` plus bias `[K]`, all plain.
    /// - Throws: `unsupported` for more than three spatial axes.
    func convolve(
        _ x: UnsafeMutableBufferPointer<Double>, _ w: UnsafeMutableBufferPointer<Double>,
        _ bias: UnsafeMutableBufferPointer<Double>?, _ y: UnsafeMutableBufferPointer<Double>, _ context: RunContext
    ) throws(SardonyxError) {
        guard let (depth, height, width) = axes.threeAxes else { throw tooManyAxes(context) }
        let (perGroupIn, perGroupOut) = (input / groups, output / groups)
        let imageSize = depth.input * height.input * width.input
        let kernelSize = depth.kernel * height.kernel * width.kernel
        var out = 0
        for n in 0..<batch {
            for k in 0..<output {
                try context.interruption?.check()
                let firstChannel = k / perGroupOut * perGroupIn
                for od in 0..<depth.output {
                    for oh in 0..<height.output {
                        for ow in 0..<width.output {
                            var sum = bias?[k] ?? 0
                            for c in 0..<perGroupIn {
                                let image = (n * input + firstChannel + c) * imageSize
                                let kernel = (k * perGroupIn + c) * kernelSize
                                for td in depth.insideTaps(od) {
                                    for th in height.insideTaps(oh) {
                                        let row =
                                            (depth.position(od, td) * height.input + height.position(oh, th))
                                            * width.input
                                        let taps = kernel + (td * height.kernel + th) * width.kernel
                                        for tw in width.insideTaps(ow) {
                                            sum += x[image + row + width.position(ow, tw)] * w[taps + tw]
                                        }
                                    }
                                }
                            }
                            y[out] = sum
                            out += 1
                        }
                    }
                }
            }
        }
    }

    /// ONNX ConvTranspose: here an axis' `input` is x's extent and `output` y's, and x[i] w[t] is added to
    /// y[position(i, t)]; w `[C, K/groups, k…]`.
    /// - Throws: `unsupported` for more than three spatial axes.
    func convolveTransposed(
        _ x: UnsafeMutableBufferPointer<Double>, _ w: UnsafeMutableBufferPointer<Double>,
        _ bias: UnsafeMutableBufferPointer<Double>?, _ y: UnsafeMutableBufferPointer<Double>, _ context: RunContext
    ) throws(SardonyxError) {
        // Seen from y, taps move away from each position of x: the roles of the two extents are exchanged.
        let mirrored = axes.map { axis in
            var axis = axis
            swap(&axis.input, &axis.output)
            return axis
        }
        guard let (depth, height, width) = mirrored.threeAxes else { throw tooManyAxes(context) }
        let (perGroupIn, perGroupOut) = (input / groups, output / groups)
        let kernelSize = depth.kernel * height.kernel * width.kernel
        let planeSize = depth.input * height.input * width.input
        var index = 0
        for n in 0..<batch {
            for k in 0..<output {
                let plane = (n * output + k) * planeSize
                for i in plane..<plane + planeSize { y[i] = bias?[k] ?? 0 }
            }
            for c in 0..<input {
                try context.interruption?.check()
                let firstOutput = c / perGroupIn * perGroupOut
                for id in 0..<depth.output {
                    for ih in 0..<height.output {
                        for iw in 0..<width.output {
                            let value = x[index]
                            index += 1
                            for k in 0..<perGroupOut {
                                let plane = (n * output + firstOutput + k) * planeSize
                                let kernel = (c * perGroupOut + k) * kernelSize
                                for td in depth.insideTaps(id) {
                                    for th in height.insideTaps(ih) {
                                        let row =
                                            (depth.position(id, td) * height.input + height.position(ih, th))
                                            * width.input
                                        let taps = kernel + (td * height.kernel + th) * width.kernel
                                        for tw in width.insideTaps(iw) {
                                            y[plane + row + width.position(iw, tw)] += value * w[taps + tw]
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func tooManyAxes(_ context: RunContext) -> SardonyxError {
        context.error(.unsupported, "float64 spatial axes", got: "\(axes.count)", allowed: "1 to 3")
    }
}

extension Layout {
    /// The kernels' name of this layout.
    var kernelLayout: sx_layout { self == .plain ? SX_LAYOUT_PLAIN : SX_LAYOUT_BLOCKED16 }
}
