import Glibc

/// Boxes as offsets from prior boxes (SSD, arXiv 1512.02325, section 2.2), results in the priors' unit.
struct BoxCoder: Sendable {
    /// The greatest logarithm of a size ratio that torchvision's detectors let pass.
    static let usualSizeLimit = logf(1000.0 / 16)

    /// Scale of centre offsets and of size offsets.
    let centerVariance: Float
    let sizeVariance: Float
    /// Scaled size offsets are held at it.
    var sizeLimit = Float.infinity

    /// - Parameters:
    ///   - offset: four values: centre x, y in prior sizes; logarithm of the width and height ratio.
    ///   - prior: four values: centre x, y, width, height.
    func decode(offset: UnsafePointer<Float>, prior: UnsafePointer<Float>) -> Box<Float> {
        decode(offset: offset, centerX: prior[0], centerY: prior[1], width: prior[2], height: prior[3])
    }

    func decode(offset: UnsafePointer<Float>, prior: Box<Float>) -> Box<Float> {
        let (width, height) = (prior.width, prior.height)
        return decode(
            offset: offset, centerX: prior.x1 + width / 2, centerY: prior.y1 + height / 2, width: width, height: height)
    }

    private func decode(
        offset: UnsafePointer<Float>, centerX: Float, centerY: Float, width priorWidth: Float,
        height priorHeight: Float
    ) -> Box<Float> {
        let width = priorWidth * expf(min(offset[2] * sizeVariance, sizeLimit))
        let height = priorHeight * expf(min(offset[3] * sizeVariance, sizeLimit))
        let x1 = centerX + offset[0] * centerVariance * priorWidth - width / 2
        let y1 = centerY + offset[1] * centerVariance * priorHeight - height / 2
        return Box(x1: x1, y1: y1, x2: width + x1, y2: height + y1)
    }
}

extension Box where Scalar == Float {
    /// The box with corners put in order and held inside a picture, in its pixels.
    func held(width: Int, height: Int) -> Box<Float> {
        let (left, right) = Box.interval(x1, x2, size: Float(width))
        let (top, bottom) = Box.interval(y1, y2, size: Float(height))
        return Box(x1: left, y1: top, x2: right, y2: bottom)
    }

    private static func interval(_ a: Float, _ b: Float, size: Float) -> (Float, Float) {
        (Swift.min(Swift.max(Swift.min(a, b), 0), size), Swift.min(Swift.max(Swift.max(a, b), 0), size))
    }

    /// The box in pixels of a picture: corners put in order and held inside.
    func scaled(width: Int, height: Int) -> Box<Float> {
        let (left, right) = Box.interval(x1, x2, size: Float(width), padding: 0)
        let (top, bottom) = Box.interval(y1, y2, size: Float(height), padding: 0)
        return Box(x1: left, y1: top, x2: right, y2: bottom)
    }

    /// Two relative coordinates scaled to `size`, put in order, moved apart by `padding` and held in 0…`size`.
    static func interval(_ a: Float, _ b: Float, size: Float, padding: Float) -> (Float, Float) {
        let (low, high) = (Swift.min(a * size, b * size), Swift.max(a * size, b * size))
        return (Swift.min(Swift.max(low - padding, 0), size), Swift.min(Swift.max(high + padding, 0), size))
    }
}
