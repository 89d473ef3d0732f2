extension Box where Scalar == Float {
    /// - Parameter values: centre x, y, width, height.
    init(center values: UnsafePointer<Float>) {
        let (width, height) = (values[2] / 2, values[3] / 2)
        self.init(x1: values[0] - width, y1: values[1] - height, x2: values[0] + width, y2: values[1] + height)
    }

    /// None of the corners is NaN.
    var isNumber: Bool { !(x1.isNaN || y1.isNaN || x2.isNaN || y2.isNaN) }
}

extension Box where Scalar == Float {
    init(_ box: Box<Int>) {
        self.init(x1: Float(box.x1), y1: Float(box.y1), x2: Float(box.x2), y2: Float(box.y2))
    }
}
