import Detection
import TensorCore

/// Draws found objects over their picture: masks, contours, boxes, labels.
public enum Overlay {
    /// A copy of the picture with its instances drawn in; the last-ranked first, so that the best lie on top.
    ///
    /// - Parameter instances: best first, made for a picture of this size.
    /// - Throws: `image` if the sizes differ, or labels are wanted and no font can be opened.
    public static func draw(
        _ image: Image, _ instances: Instances, style: OverlayStyle = OverlayStyle()
    ) throws(SardonyxError) -> Image {
        let sizes =
            [(instances.imageWidth, instances.imageHeight)]
            + instances.compactMap { $0.mask.map { ($0.width, $0.height) } }
        if let other = sizes.first(where: { $0 != (image.width, image.height) }) {
            throw SardonyxError(
                .image, "overlay", "size of the picture that the instances belong to", got: "\(other.0)×\(other.1)",
                allowed: "\(image.width)×\(image.height)")
        }
        let metrics = OverlayMetrics(width: image.width, height: image.height, scale: style.scale)
        let tags = style.showsLabels && !instances.isEmpty ? try LabelTags(instances, style, metrics) : nil
        let alpha = style.maskAlpha.isFinite ? min(max(style.maskAlpha, 0), 1) : 0.45
        var result = image
        result.withUnsafeMutablePixels { bytes in
            let canvas = Canvas(width: image.width, height: image.height, bytes: bytes)
            for (rank, instance) in instances.enumerated().reversed() {
                guard let mask = instance.mask else { continue }
                drawMask(mask, on: canvas, color(of: instance, rank, style), alpha, style, metrics)
            }
            for (rank, instance) in instances.enumerated().reversed() where style.showsBoxes && !instance.box.isEmpty {
                drawBox(instance.box, on: canvas, color(of: instance, rank, style), metrics)
            }
            tags?.draw(on: canvas)
        }
        return result
    }

    static func color(of instance: Instance, _ rank: Int, _ style: OverlayStyle) -> Color {
        Color.forIndex(style.coloring == .rank ? rank : instance.classIndex)
    }

    private static func drawMask(
        _ mask: RLE, on canvas: Canvas, _ color: Color, _ alpha: Float, _ style: OverlayStyle, _ metrics: OverlayMetrics
    ) {
        guard style.showsMasks || style.showsContours else { return }
        let rimmed = metrics.line + 2 * metrics.rim
        guard let window = MaskWindow(mask, margin: MaskWindow.margin(thickness: rimmed)) else { return }
        if style.showsMasks { window.fill(canvas, color, alpha: alpha) }
        if style.showsContours { window.stroke(canvas, thickness: metrics.line, color, alpha: 0.9) }
    }

    /// The box as a frame of continuous coordinates inside the picture.
    static func frame(_ box: Box<Int>, width: Int, height: Int) -> Frame {
        Frame(
            left: Float(min(max(box.x1, 0), width)), top: Float(min(max(box.y1, 0), height)),
            right: Float(min(max(box.x2, 0), width)), bottom: Float(min(max(box.y2, 0), height)))
    }

    private static func drawBox(_ box: Box<Int>, on canvas: Canvas, _ color: Color, _ metrics: OverlayMetrics) {
        // The line runs inside the box, so that it stays whole at the picture's edge.
        let frame = frame(box, width: canvas.width, height: canvas.height).insetBy(metrics.line / 2)
        let rimmed = metrics.line + 2 * metrics.rim
        canvas.stroke(frame, radius: metrics.corner, thickness: rimmed, .black, alpha: 0.3)
        canvas.stroke(frame, radius: metrics.corner, thickness: metrics.line, color, alpha: 1)
    }
}
