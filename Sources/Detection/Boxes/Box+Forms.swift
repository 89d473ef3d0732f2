extension Box where Scalar == Float {
    init(centerX: Float, centerY: Float, width: Float, height: Float) {
        let (across, down) = (width / 2, height / 2)
        self.init(x1: centerX - across, y1: centerY - down, x2: centerX + across, y2: centerY + down)
    }

    /// - Parameter values: centre x, y, width, height.
    init(center values: UnsafePointer<Float>) {
        self.init(centerX: values[0], centerY: values[1], width: values[2], height: values[3])
    }

    /// None of the corners is NaN.
    var isNumber: Bool { !(x1.isNaN || y1.isNaN || x2.isNaN || y2.isNaN) }

    init(_ box: Box<Int>) {
        self.init(x1: Float(box.x1), y1: Float(box.y1), x2: Float(box.x2), y2: Float(box.y2))
    }
}
