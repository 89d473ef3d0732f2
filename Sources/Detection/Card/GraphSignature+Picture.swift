extension GraphSignature {
    /// The picture input's size where the graph fixes it, filled without keeping the ratio, else `dynamic`; and a
    /// sentence that says so.
    func geometry(dynamic: ImageGeometry, as why: String) -> (geometry: ImageGeometry, reason: String) {
        if let size = pictureSize {
            return (
                .stretch(width: size.width, height: size.height),
                "The input is \(size.width)×\(size.height): pictures are assumed to be stretched to it."
            )
        }
        return (dynamic, "The input takes any size: \(why) is assumed.")
    }
}

/// Means and divisors of pictures that data sets or exporters agree on, in 0…255 units.
enum Normalisation {
    /// Statistics of ImageNet, RGB.
    static let imageNet = (mean: [123.675, 116.28, 103.53] as [Float], std: [58.395, 57.12, 57.375] as [Float])
    /// 0 to 1.
    static let unit = (mean: [0, 0, 0] as [Float], std: [255, 255, 255] as [Float])
}
