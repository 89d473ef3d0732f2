extension Box where Scalar == Float {
    init(centerX: Float, centerY: Float, width: Float, height: Float) {
        let (across, down) = (width / 2, height / 2)
        self.init(x1: centerX - across, y1: centerY - down, x2: centerX + across, y2: centerY + down)
    }
}
