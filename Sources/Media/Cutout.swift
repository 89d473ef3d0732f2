import Codecs
import Detection
import TensorCore

/// One object cut out of its picture: the mask's bounding box, with the mask as alpha.
public enum Cutout {
    /// The cut-out as the bytes of an RGBA PNG, of the mask's bounding box and as large.
    ///
    /// - Throws: `image` if the mask is empty or was made for a picture of another size.
    public static func encode(_ instance: Instance, of image: Image) throws(SardonyxError) -> [UInt8] {
        guard let mask = instance.mask else {
            throw SardonyxError(.image, "cutout", "the detector finds boxes only: no mask to cut along")
        }
        guard mask.width == image.width, mask.height == image.height else {
            throw SardonyxError(
                .image, "cutout", "size of the mask", got: "\(mask.width)×\(mask.height)",
                allowed: "the picture's \(image.width)×\(image.height)")
        }
        guard let bounds = mask.bounds else { throw SardonyxError(.image, "cutout", "the mask is empty") }
        let width = bounds.width
        var pixels = [UInt8](repeating: 0, count: width * bounds.height * 4)
        mask.forEachColumnRun { column, rows in
            for row in rows {
                let source = (row * image.width + column) * 3
                let target = ((row - bounds.y1) * width + column - bounds.x1) * 4
                for channel in 0..<3 { pixels[target + channel] = image.pixels[source + channel] }
                pixels[target + 3] = 255
            }
        }
        return try PNGCodec.encode(width: width, height: bounds.height, pixels: pixels, channels: 4)
    }

    /// Writes the cut-out to a PNG file, whole or not at all.
    ///
    /// - Throws: as `encode`, and `image` if the file cannot be written.
    public static func write(_ instance: Instance, of image: Image, to path: String) throws(SardonyxError) {
        try WholeFile.write([try encode(instance, of: image)], to: path, as: .image)
    }
}
