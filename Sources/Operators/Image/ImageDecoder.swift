import Codecs
import GraphIR
import TensorCore

/// ONNX ImageDecoder (20): the picture `[height, width, channels]` in the bytes of a file: BMP, JPEG, JPEG 2000, TIFF,
/// PNG, WebP or PNM, as RGB, BGR or grey; an empty picture when it cannot be decoded. Pixels are taken as stored (no
/// EXIF orientation), alpha is dropped.
struct ImageDecoder: Operator {
    static let elementTypes: [DType] = [.uint8]
    private enum PixelFormat: String, CaseIterable { case rgb = "RGB", bgr = "BGR", grey = "Grayscale" }
    private let format: PixelFormat
    private var channels: Int { format == .grey ? 1 : 3 }

    init(_ node: NodeReader) throws(SardonyxError) { format = try node.choice("pixel_format", default: .rgb) }

    func infer(_ context: InferContext) throws(SardonyxError) -> [Inferred] {
        try context.requireRank(0, 1...1, "encoded stream")
        return [Inferred(.uint8, [.unknown, .unknown, .known(channels)])]
    }

    func run(_ context: RunContext) throws(SardonyxError) {
        let input = try context.input(0)
        try context.budget.check(input.elementCount, for: context.label)
        let picture = try decode(Array(input.elements(UInt8.self)), context)
        let shape = try context.shape(of: [picture?.height ?? 0, picture?.width ?? 0, channels])
        let output = try context.output(0, dtype: .uint8, shape: shape).typed(UInt8.self)
        guard let picture else { return }
        for pixel in 0..<picture.width * picture.height {
            let place = pixel * 3
            switch format {
            case .rgb, .bgr:
                for channel in 0..<3 {
                    output[place + channel] = picture.rgb[place + (format == .rgb ? channel : 2 - channel)]
                }
            case .grey: output[pixel] = luma(picture.rgb[place], picture.rgb[place + 1], picture.rgb[place + 2])
            }
        }
    }

    /// ITU-R BT.601 in 16 fractional bits, rounded.
    private func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let sum = UInt32(red) * 19595 + UInt32(green) * 38470 + UInt32(blue) * 7471
        return UInt8(truncatingIfNeeded: (sum + 0x8000) >> 16)
    }

    /// `nil` for data that is no picture or a damaged one; memory that the budget does not allow is an error.
    private func decode(_ bytes: [UInt8], _ context: RunContext) throws(SardonyxError) -> DecodedPicture? {
        guard let format = PictureFormat(magicOf: bytes) else { return nil }
        do {
            return try format.decode(bytes) { (count) throws(SardonyxError) in
                try context.budget.check(count, for: context.label)
            }
        } catch {
            guard error.code == .image else { throw error }
            return nil
        }
    }
}
