import CKernels
import TensorCore

/// How positions of a resized axis map to positions of the source (ONNX Resize, `coordinate_transformation_mode`).
enum ResizeCoordinates: String, CaseIterable, Sendable {
    case halfPixel = "half_pixel"
    case halfPixelSymmetric = "half_pixel_symmetric"
    case pytorchHalfPixel = "pytorch_half_pixel"
    case alignCorners = "align_corners"
    case asymmetric
    case tfHalfPixelForNN = "tf_half_pixel_for_nn"
    case tfCropAndResize = "tf_crop_and_resize"

    /// The source position of output position `o`; `scale` may not be exactly `output / input`.
    func source(_ o: Int, input: Int, output: Int, scale: Double, region: (start: Double, end: Double)) -> Double {
        let (position, last) = (Double(o), Double(input - 1))
        let length = scale * Double(input)
        switch self {
        case .halfPixel: return (position + 0.5) / scale - 0.5
        case .halfPixelSymmetric:
            let offset = Double(input) / 2 * (1 - Double(output) / length)
            return offset + (position + 0.5) / scale - 0.5
        case .pytorchHalfPixel: return output > 1 ? (position + 0.5) / scale - 0.5 : 0
        case .alignCorners: return length == 1 || output == 1 ? 0 : position * last / (length - 1)
        case .asymmetric: return position / scale
        case .tfHalfPixelForNN: return (position + 0.5) / scale
        case .tfCropAndResize:
            let span = (region.end - region.start) * last
            return region.start * last + (length == 1 || output == 1 ? span / 2 : position * span / (length - 1))
        }
    }
}

/// Which source element is nearest (ONNX Resize, `nearest_mode`).
enum ResizeNearest: String, CaseIterable, Sendable {
    case roundPreferFloor = "round_prefer_floor"
    case roundPreferCeil = "round_prefer_ceil"
    case floor
    case ceil
    /// Resize 10 and Upsample: down where the axis grows, up where it shrinks.
    case byDirection = ""

    func index(_ x: Double, scale: Double) -> Double {
        switch self {
        case .roundPreferFloor: (x - 0.5).rounded(.up)
        case .roundPreferCeil: (x + 0.5).rounded(.down)
        case .floor: x.rounded(.down)
        case .ceil: x.rounded(.up)
        case .byDirection: x.rounded(scale < 1 ? .up : .down)
        }
    }
}

/// How output elements are made from source elements.
enum ResizeFilter: Sendable {
    case nearest(ResizeNearest)
    case linear
    case cubic(a: Double)

    /// The weight of an element at this distance.
    func weight(_ distance: Double) -> Double {
        let x = distance.magnitude
        switch self {
        case .nearest: return x == 0 ? 1 : 0
        case .linear: return max(1 - x, 0)
        case .cubic(let a):
            if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
        }
    }

    /// Elements on each side of a position that count, before stretching.
    var radius: Double { if case .cubic = self { 2 } else { 1 } }
}

/// The source positions and weights of every output position along one axis.
struct ResizeTable: Sendable {
    let input: Int
    let output: Int
    let taps: Int
    private let scale: Double
    private let region: (start: Double, end: Double)
    private let form: Form
    private(set) var index: [Int32] = []
    private(set) var weight: [Double] = []
    /// The weights as the float32 kernel takes them.
    private(set) var floatWeight: [Float] = []
    /// Output positions whose source lies outside (`tf_crop_and_resize` only).
    private(set) var outside: [Int] = []

    struct Form: Sendable {
        var coordinates: ResizeCoordinates
        var filter: ResizeFilter
        var antialias = false
        var excludesOutside = false
    }

    /// An empty table, which says how large it will be.
    ///
    /// `input`, `output` > 0, `input` < 2^31, `scale` finite and positive.
    init(input: Int, output: Int, scale: Double, region: (start: Double, end: Double), form: Form) {
        (self.input, self.output) = (input, output)
        (self.scale, self.region, self.form) = (scale, region, form)
        let half = (form.filter.radius / (form.antialias ? min(scale, 1) : 1)).rounded(.up)
        taps = if case .nearest = form.filter { 1 } else { 2 * (CheckedSize.integer(half) ?? .max / 2) }
    }

    /// Bytes of the filled table, the copies that plans make of nearest positions and positions outside included.
    var byteCount: Int { CheckedSize.product(output, taps, 24) ?? .max }

    /// The table with all positions and weights. What calls it has checked `byteCount`.
    func filled(_ interruption: Interruption?) throws(SardonyxError) -> ResizeTable {
        var table = self
        try table.fill(interruption)
        return table
    }

    private mutating func fill(_ interruption: Interruption?) throws(SardonyxError) {
        let stretch = form.antialias ? min(scale, 1) : 1
        index.reserveCapacity(output * taps)
        let checkEvery = max(1, (1 << 16) / taps)
        for o in 0..<output {
            if o % checkEvery == 0 { try interruption?.check() }
            let x = form.coordinates.source(o, input: input, output: output, scale: scale, region: region)
            if form.coordinates == .tfCropAndResize, !(x >= 0 && x <= Double(input - 1)) { outside.append(o) }
            if case .nearest(let mode) = form.filter {
                index.append(clamped(mode.index(x, scale: scale)))
            } else {
                append(x, stretch)
            }
        }
    }

    private func clamped(_ x: Double) -> Int32 { Int32(max(0, min(x.isNaN ? 0 : x, Double(input - 1)))) }

    private mutating func append(_ x: Double, _ stretch: Double) {
        // The window lies around the gap behind `left`; an x on an element counts as the right end of the gap.
        let left = x.rounded(.up) - 1
        let half = taps / 2
        var weights: [Double] = []
        for tap in 0..<taps {
            let position = left + Double(tap - half + 1)
            let inside = position >= 0 && position <= Double(input - 1)
            index.append(clamped(position))
            weights.append(form.excludesOutside && !inside ? 0 : form.filter.weight((position - x) * stretch))
        }
        let sum = weights.reduce(0, +)
        let divisor = (form.antialias || form.excludesOutside) && sum != 0 ? sum : 1
        weight += weights.map { $0 / divisor }
        floatWeight += weights.map { Float($0 / divisor) }
    }

    /// The kernel's form of the table, valid during the call.
    func withKernelTable(_ body: (sx_resize_table) -> Void) {
        index.withUnsafeBufferPointer { index in
            floatWeight.withUnsafeBufferPointer { weight in
                body(
                    sx_resize_table(
                        taps: Int32(taps), index: index.baseAddress, weight: weight.isEmpty ? nil : weight.baseAddress))
            }
        }
    }
}
