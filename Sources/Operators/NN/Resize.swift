import CKernels
import GraphIR
import TensorCore

/// ONNX Resize (10, 11, 13, 18, 19) and Upsample (1, 7, 9): every axis of x resized on its own.
///
/// Interpolated integers are rounded towards zero, as ONNX Runtime does; the standard's text does not say.
struct Resize: Operator {
    static let elementTypes: [DType] = DType.allCases.filter { $0 != .string }
    private enum AspectPolicy: String, CaseIterable, Sendable {
        case stretch
        case notLarger = "not_larger"
        case notSmaller = "not_smaller"
    }

    private let form: ResizeTable.Form
    private let extrapolation: Double
    private let axes: [Int]?
    private let policy: AspectPolicy
    /// Scales given by attributes (Upsample 1, 7).
    private let attributeScales: [Float]?
    /// Positions of the inputs roi, scales and sizes.
    private let places: (roi: Int?, scales: Int?, sizes: Int?)
    private var plan: ResizePlan?
    private(set) var preparedInputs: [Int] = []

    init(_ node: NodeReader) throws(SardonyxError) {
        let isLegacy = node.node.opType == "Upsample" || node.opset < 11
        switch node.node.opType == "Upsample" && node.opset < 7
            ? 1 : node.node.opType == "Upsample" && node.opset < 9 ? 7 : 10
        {
        case 1:
            let height = try node.required("height_scale", try node.float("height_scale"))
            attributeScales = [1, 1, height, try node.required("width_scale", try node.float("width_scale"))]
        case 7: attributeScales = try node.required("scales", try node.floats("scales"))
        default: attributeScales = nil
        }
        places = attributeScales != nil ? (nil, nil, nil) : isLegacy ? (nil, 1, nil) : (1, 2, 3)
        let filter: ResizeFilter
        switch try node.string("mode", default: "nearest") {
        case "nearest":
            filter = .nearest(isLegacy ? .byDirection : try node.choice("nearest_mode", default: .roundPreferFloor))
        case "linear", "bilinear": filter = .linear
        case "cubic" where !isLegacy: filter = .cubic(a: Double(try node.float("cubic_coeff_a", default: -0.75)))
        case let other:
            throw node.error(.unsupported, "attribute mode", got: "'\(other)'", allowed: "'nearest', 'linear', 'cubic'")
        }
        form = ResizeTable.Form(
            coordinates: isLegacy
                ? .asymmetric : try node.choice("coordinate_transformation_mode", default: .halfPixel),
            filter: filter, antialias: try node.bool("antialias", default: false),
            excludesOutside: try node.bool("exclude_outside", default: false))
        extrapolation = Double(try node.float("extrapolation_value", default: 0))
        axes = try node.ints("axes")
        policy = try node.choice("keep_aspect_ratio_policy", default: .stretch)
    }

    private var copies: Bool { if case .nearest = form.filter { true } else { false } }

    /// The elements of a constant float input; `nil` when it is absent, empty or not constant.
    private func floats(_ constant: Constant?) throws(SardonyxError) -> [Double]? {
        guard let constant, constant.shape.elementCount > 0 else { return nil }
        let tensor = try constant.tensor()
        switch tensor.dtype {
        case .float32: return tensor.elements(of: Float.self).map(Double.init)
        case .float64: return Array(tensor.elements(of: Double.self))
        case .float16: return tensor.elements(of: Float16.self).map(Double.init)
        default: return nil
        }
    }

    private func checkedScales(_ scales: [Double], _ label: String) throws(SardonyxError) -> [Double] {
        for (axis, scale) in scales.enumerated() where !(scale > 0 && scale.isFinite) {
            throw SardonyxError(
                .value, label, "scale of axis \(axis)", got: "\(scale)", allowed: "a finite number above 0")
        }
        return scales
    }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        let allowed = DType.allCases.filter { copies ? $0 != .string : DType.numeric.contains($0) }
        try context.requireDType(0, allowed, "input")
        let dtype = try context.dtype(0)
        guard let x = try context.shape(0) else { return [Inferred(dtype, nil)] }
        let resized =
            try axes.map { (axes) throws(SardonyxError) in try context.axes(axes, rank: x.rank) } ?? Array(0..<x.rank)
        func require(_ count: Int, _ what: String) throws(SardonyxError) {
            guard count != resized.count else { return }
            throw context.error(.shape, what, got: "\(count) entries", allowed: "\(resized.count)")
        }
        var dims = x.dims
        if let scales = try scales(context) {
            try require(scales.count, "scales")
            for (axis, scale) in zip(resized, scales) where scale != 1 {
                dims[axis] =
                    try dims[axis].value.map { (extent) throws(SardonyxError) in
                        try .known(scaled(extent, scale, axis, context))
                    } ?? .unknown
            }
        } else if let place = places.sizes, let sizes = try context.content(place), !sizes.isEmpty {
            try require(sizes.count, "sizes")
            if policy == .stretch {
                for (axis, size) in zip(resized, sizes) { dims[axis] = size }
            } else if let extents = x.knownDims, let known = SymbolicShape(sizes).knownDims {
                let scale = aspectScale(extents, known, resized)
                for axis in resized {
                    dims[axis] = .known(try scaled(extents[axis], scale, axis, context, rounds: true))
                }
            } else {
                for axis in resized { dims[axis] = .unknown }
            }
        } else {
            try requireOpenSize(context)
            for axis in resized { dims[axis] = .unknown }
        }
        for (axis, dim) in dims.enumerated()
        where (dim.value ?? 0) < 0 || (dim.value ?? 0) > 0 && x.dims[axis] == .known(0) {
            throw context.error(
                .value, "size of axis \(axis)", got: "\(dim)", allowed: "0 or more, and 0 for an empty axis")
        }
        return [Inferred(dtype, SymbolicShape(dims))]
    }

    /// That scales or sizes, not known yet, will say how large the output is.
    private func requireOpenSize(_ context: InferContext) throws(SardonyxError) {
        if let place = places.scales, context.hasInput(place) {
            try context.requireDType(place, [.float32, .float64, .float16], "scales")
            if context.inputs[place]?.constant == nil { return }
        }
        if let place = places.sizes, context.hasInput(place) {
            try context.requireDType(place, [.int64], "sizes")
            if try context.content(place) == nil { return }
        }
        throw context.error(
            .graph, "neither scales nor sizes", got: "none with elements", allowed: "one of them", hint: nil)
    }

    private func scales(_ context: InferContext) throws(SardonyxError) -> [Double]? {
        if let attributeScales { return try checkedScales(attributeScales.map(Double.init), context.node.label) }
        guard let place = places.scales, context.hasInput(place) else { return nil }
        return try floats(context.inputs[place]?.constant).map { (scales) throws(SardonyxError) in
            try checkedScales(scales, context.node.label)
        }
    }

    /// floor(extent · scale) in float32, as the standard's shape inference has it, or the nearest integer.
    private func scaled(
        _ extent: Int, _ scale: Double, _ axis: Int, _ context: InferContext, rounds: Bool = false
    ) throws(SardonyxError) -> Int {
        let product = rounds ? (Double(extent) * scale + 0.5) : Double(Float(extent) * Float(scale))
        guard let size = CheckedSize.integer(product.rounded(.down)), size <= CheckedSize.maximumElements else {
            throw context.error(.limit, "size of axis \(axis)", got: "\(extent) x \(scale)", allowed: "at most 2^48")
        }
        return size
    }

    private func aspectScale(_ extents: [Int], _ sizes: [Int], _ resized: [Int]) -> Double {
        let ratios = zip(resized, sizes).map { Double($1) / Double(max(extents[$0], 1)) }
        return (policy == .notLarger ? ratios.min() : ratios.max()) ?? 1
    }

    mutating func prepare(_ context: PrepareContext) throws(SardonyxError) {
        let (x, y) = (try context.input(0), try context.output(0))
        let rank = x.shape.rank
        guard y.shape.elementCount > 0 else { return }
        let resized =
            try axes.map { (axes) throws(SardonyxError) in try context.axes(axes, rank: rank) } ?? Array(0..<rank)
        var ratios = zip(x.shape.dims, y.shape.dims).map { Double($1) / Double($0) }
        var region = [(start: Double, end: Double)](repeating: (0, 1), count: rank)
        let given = try parameter(places.scales, context)
        if let scales = attributeScales?.map(Double.init) ?? given {
            for (axis, scale) in zip(resized, scales) { ratios[axis] = scale }
        } else if policy != .stretch, let place = places.sizes,
            let sizes = try context.constant(place)?.tensor().integers()
        {
            for axis in resized { ratios[axis] = aspectScale(x.shape.dims, sizes, resized) }
        }
        if form.coordinates == .tfCropAndResize, let roi = try parameter(places.roi, context) {
            guard roi.count == 2 * resized.count, roi.allSatisfy(\.isFinite) else {
                throw context.error(.shape, "roi", got: "\(roi)", allowed: "\(2 * resized.count) finite numbers")
            }
            for (index, axis) in resized.enumerated() { region[axis] = (roi[index], roi[index + resized.count]) }
        }
        var tables = [ResizeTable?](repeating: nil, count: rank)
        var byteCount = try y.storedByteCount()
        for axis in resized where ratios[axis] != 1 || x.shape[axis] != y.shape[axis] || region[axis] != (0, 1) {
            guard x.shape[axis] <= Int(Int32.max) else {
                throw context.error(
                    .limit, "extent of axis \(axis)", got: "\(x.shape[axis])", allowed: "at most 2^31 - 1")
            }
            let table = ResizeTable(
                input: x.shape[axis], output: y.shape[axis], scale: ratios[axis], region: region[axis], form: form)
            byteCount = CheckedSize.sum(byteCount, table.byteCount) ?? .max
            try context.budget.check(byteCount, for: context.node.label)
            tables[axis] = try table.filled(context.interruption)
        }
        plan = try ResizePlan(tables: tables, input: x, output: y, copies: copies, extrapolation: extrapolation)
        preparedInputs = Array(1..<max(context.inputs.count, 1))
    }

    private func parameter(_ place: Int?, _ context: PrepareContext) throws(SardonyxError) -> [Double]? {
        guard let place else { return nil }
        return try floats(context.constant(place))
    }

    var scratchByteCount: Int { plan?.scratchByteCount ?? 0 }

    func run(_ context: RunContext) throws(SardonyxError) {
        try plan?.run(try context.input(0), try context.output(0), context)
    }

    /// Blocked where x is and only pixels move.
    func preferredLayouts(_ inputs: [TensorInfo?], _ outputs: [TensorInfo?]) -> LayoutChoice? {
        guard let x = inputs.first ?? nil, let y = outputs.first ?? nil, x.dtype == .float32, x.shape.rank == 4,
            x.shape.dims[..<2] == y.shape.dims[..<2], form.coordinates != .tfCropAndResize
        else { return nil }
        return LayoutChoice(
            inputs: [x.layout] + [Layout](repeating: .plain, count: inputs.count - 1), outputs: [x.layout])
    }
}
