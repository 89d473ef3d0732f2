/// An 8-bit sRGB colour.
public struct Color: Sendable, Hashable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    static let white = Color(255, 255, 255)
    static let black = Color(0, 0, 0)

    /// Perceived lightness in 0...1: luma with the weights of ITU-R BT.601.
    var luma: Float {
        (0.299 * Float(red) + 0.587 * Float(green) + 0.114 * Float(blue)) / 255
    }

    /// The 19 colours in which the YOLACT reference draws (Material Design's 500 tones).
    public static let palette: [Color] = [
        Color(244, 67, 54), Color(233, 30, 99), Color(156, 39, 176), Color(103, 58, 183), Color(63, 81, 181),
        Color(33, 150, 243), Color(3, 169, 244), Color(0, 188, 212), Color(0, 150, 136), Color(76, 175, 80),
        Color(139, 195, 74), Color(205, 220, 57), Color(255, 235, 59), Color(255, 193, 7), Color(255, 152, 0),
        Color(255, 87, 34), Color(121, 85, 72), Color(158, 158, 158), Color(96, 125, 139),
    ]

    /// The palette's colour for a rank or class: neighbours lie five entries apart, so that they differ clearly.
    public static func forIndex(_ index: Int) -> Color {
        let step = index % palette.count * 5 % palette.count
        return palette[step < 0 ? step + palette.count : step]
    }
}
