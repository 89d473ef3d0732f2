import GraphIR
import TensorCore

/// One spatial axis of a convolution or pooling: output position `o` reads the taps
/// `o stride - padBegin + t dilation`, `t` in `0 ..< kernel`.
struct WindowAxis: Sendable, Hashable {
    var input = 1
    var output = 1
    var kernel = 1
    var stride = 1
    var dilation = 1
    var padBegin = 0
    var padEnd = 0

    /// The taps of output position `o` that lie inside the input.
    func insideTaps(_ o: Int) -> Range<Int> {
        let start = o * stride - padBegin
        let first = start >= 0 ? 0 : (-start + dilation - 1) / dilation
        let past = start >= input ? 0 : min(kernel, (input - start + dilation - 1) / dilation)
        return first < past ? first..<past : 0..<0
    }

    /// The input position of a tap.
    func position(_ o: Int, _ tap: Int) -> Int { o * stride - padBegin + tap * dilation }
}

/// The attributes that ONNX Conv, ConvTranspose and the pools share.
struct WindowAttributes: Sendable {
    enum AutoPad: String, CaseIterable, Sendable {
        case notSet = "NOTSET"
        case sameUpper = "SAME_UPPER"
        case sameLower = "SAME_LOWER"
        case valid = "VALID"
    }

    let kernel: [Int]?
    let strides: [Int]?
    let dilations: [Int]?
    let pads: [Int]?
    let autoPad: AutoPad
    let ceilMode: Bool

    /// - Throws: `shape` for strides, dilations or kernel extents below 1, negative or unpaired pads.
    init(_ node: NodeReader) throws(SardonyxError) {
        kernel = try WindowAttributes.list(node, "kernel_shape", atLeast: 1)
        strides = try WindowAttributes.list(node, "strides", atLeast: 1)
        dilations = try WindowAttributes.list(node, "dilations", atLeast: 1)
        pads = try WindowAttributes.list(node, "pads", atLeast: 0)
        autoPad = try node.choice("auto_pad", default: .notSet)
        ceilMode = try node.bool("ceil_mode", default: false)
        if let pads, pads.count % 2 != 0 {
            throw node.error(
                .shape, "attribute pads", got: "\(pads)", allowed: "a begin and an end for each spatial axis")
        }
    }

    private static func list(_ node: NodeReader, _ name: String, atLeast least: Int) throws(SardonyxError) -> [Int]? {
        guard let values = try node.ints(name) else { return nil }
        guard values.allSatisfy({ $0 >= least && $0 <= CheckedSize.maximumElements }) else {
            throw node.error(.shape, "attribute \(name)", got: "\(values)", allowed: "\(least) to 2^48 on every axis")
        }
        return values
    }

    /// - Throws: `shape` when a list does not have one entry a spatial axis.
    func requireSpatialRank(_ rank: Int, _ label: String) throws(SardonyxError) {
        for (name, values, count) in [
            ("kernel_shape", kernel, rank), ("strides", strides, rank), ("dilations", dilations, rank),
            ("pads", pads, 2 * rank),
        ] {
            guard let values, values.count != count else { continue }
            throw SardonyxError(.shape, label, "attribute \(name)", got: "\(values)", allowed: "\(count) entries")
        }
    }

    /// The geometry of one axis with its output extent. `spatialRank` entries must have been checked.
    /// - Parameter countsWindowsInPadding: whether a last window of `ceil_mode` counts that starts in the end padding.
    /// - Throws: `shape` when the kernel does not fit into the padded input.
    func axis(
        _ index: Int, of spatialRank: Int, input: Int, kernel: Int, countsWindowsInPadding: Bool = false, label: String
    ) throws(SardonyxError) -> WindowAxis {
        var axis = WindowAxis(input: input, kernel: kernel)
        axis.stride = strides?[index] ?? 1
        axis.dilation = dilations?[index] ?? 1
        guard let reach = CheckedSize.product(kernel - 1, axis.dilation), reach < CheckedSize.maximumElements else {
            throw SardonyxError(
                .limit, label, "dilated kernel on spatial axis \(index)", got: "\(kernel) x \(axis.dilation)")
        }
        let extent = reach + 1
        switch autoPad {
        case .notSet:
            axis.padBegin = pads?[index] ?? 0
            axis.padEnd = pads?[index + spatialRank] ?? 0
        case .valid: break
        case .sameUpper, .sameLower:
            axis.output = input == 0 ? 0 : (input - 1) / axis.stride + 1
            let span = CheckedSize.product(max(axis.output - 1, 0), axis.stride) ?? 0
            let total = max(span + extent - input, 0)
            axis.padBegin = autoPad == .sameUpper ? total / 2 : total - total / 2
            axis.padEnd = total - axis.padBegin
            return axis
        }
        let slack = input + axis.padBegin + axis.padEnd - extent
        guard slack >= 0 else {
            throw SardonyxError(
                .shape, label, "kernel extent on spatial axis \(index)",
                got: "\(extent) (output \(-((-slack + axis.stride - 1) / axis.stride) + 1))",
                allowed: "at most the padded input, \(input + axis.padBegin + axis.padEnd)")
        }
        axis.output = slack / axis.stride + 1
        if ceilMode, autoPad == .notSet, slack % axis.stride != 0,
            countsWindowsInPadding || axis.output * axis.stride < input + axis.padBegin
        {
            axis.output += 1
        }
        return axis
    }

    /// All axes for known extents.
    func axes(input: some Sequence<Int>, kernel: some Sequence<Int>, label: String) throws(SardonyxError)
        -> [WindowAxis]
    {
        let input = Array(input)
        try requireSpatialRank(input.count, label)
        var axes: [WindowAxis] = []
        for (index, kernel) in kernel.enumerated() where index < input.count {
            axes.append(try axis(index, of: input.count, input: input[index], kernel: kernel, label: label))
        }
        return axes
    }

    /// Output extents for extents that may be unknown.
    /// - Parameter countsWindowsInPadding: as `axis` has it.
    func outputDims(
        input: some Sequence<Dim>, kernel: [Int?], countsWindowsInPadding: Bool = false, label: String
    ) throws(SardonyxError) -> [Dim] {
        let input = Array(input)
        try requireSpatialRank(input.count, label)
        var dims: [Dim] = []
        for index in input.indices {
            let keepsExtent = [.sameUpper, .sameLower].contains(autoPad) && (strides?[index] ?? 1) == 1
            if keepsExtent {
                dims.append(input[index])
            } else if let extent = input[index].value, let kernel = kernel[index] {
                let axis = try axis(
                    index, of: input.count, input: extent, kernel: kernel,
                    countsWindowsInPadding: countsWindowsInPadding, label: label)
                dims.append(.known(axis.output))
            } else {
                dims.append(.unknown)
            }
        }
        return dims
    }
}

extension Array where Element == WindowAxis {
    /// The axes filled up in front to three, for loops of fixed depth; `nil` for more than three.
    var threeAxes: (depth: WindowAxis, height: WindowAxis, width: WindowAxis)? {
        guard count <= 3 else { return nil }
        let axes = [WindowAxis](repeating: WindowAxis(), count: 3 - count) + self
        return (axes[0], axes[1], axes[2])
    }
}

/// Copies extents into a C array that holds at least as many.
func fillExtents<CArray>(_ array: inout CArray, _ values: [Int]) {
    withUnsafeMutableBytes(of: &array) { bytes in
        let slots = bytes.bindMemory(to: Int64.self)
        for (index, value) in values.enumerated() where index < slots.count { slots[index] = Int64(value) }
    }
}
