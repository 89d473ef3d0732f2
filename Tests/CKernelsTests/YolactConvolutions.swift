import CKernels

/// The convolutions of the paper's five networks, each shape once.
enum YolactConvolutions {
    /// Extents of the maps of a ResNet model: input, then strides 4 to 128 (the mask prototypes are at stride 4, twice
    /// the extent at stride 8, in place of the stem's output).
    private static let extents: [[Int64]] = [
        [550, 138, 69, 35, 18, 9, 5], [400, 100, 50, 25, 13, 7, 4], [700, 175, 88, 44, 22, 11, 6],
    ]

    /// Map, input and output channels, kernel, stride. The 101-layer backbone only repeats those of the 50-layer one.
    private static let resNet: [(Int, Int64, Int64, Int64, Int64)] = [
        (0, 3, 64, 7, 2),
        (1, 64, 64, 1, 1), (1, 64, 64, 3, 1), (1, 64, 256, 1, 1), (1, 256, 64, 1, 1), (1, 256, 128, 1, 1),
        (1, 128, 128, 3, 2), (1, 256, 512, 1, 2),
        (2, 128, 128, 3, 1), (2, 128, 512, 1, 1), (2, 512, 128, 1, 1), (2, 512, 256, 1, 1), (2, 256, 256, 3, 2),
        (2, 512, 1024, 1, 2),
        (3, 256, 256, 3, 1), (3, 256, 1024, 1, 1), (3, 1024, 256, 1, 1), (3, 1024, 512, 1, 1), (3, 512, 512, 3, 2),
        (3, 1024, 2048, 1, 2),
        (4, 512, 512, 3, 1), (4, 512, 2048, 1, 1), (4, 2048, 512, 1, 1), (4, 2048, 256, 1, 1),
        (4, 256, 256, 3, 2), (5, 256, 256, 3, 2),
        (1, 256, 256, 3, 1), (1, 256, 32, 1, 1), (2, 256, 256, 3, 1),
        (4, 256, 256, 3, 1), (5, 256, 256, 3, 1), (6, 256, 256, 3, 1),
        (2, 256, 12, 3, 1), (3, 256, 12, 3, 1), (4, 256, 12, 3, 1), (5, 256, 12, 3, 1), (6, 256, 12, 3, 1),
        (2, 256, 243, 3, 1), (3, 256, 243, 3, 1), (4, 256, 243, 3, 1), (5, 256, 243, 3, 1), (6, 256, 243, 3, 1),
        (2, 256, 96, 3, 1), (3, 256, 96, 3, 1), (4, 256, 96, 3, 1), (5, 256, 96, 3, 1), (6, 256, 96, 3, 1),
    ]

    /// Extent, input and output channels, kernel, stride.
    private static let darkNet: [(Int64, Int64, Int64, Int64, Int64)] = [
        (550, 3, 32, 3, 1), (550, 32, 64, 3, 2),
        (275, 64, 32, 1, 1), (275, 32, 64, 3, 1), (275, 64, 128, 3, 2),
        (138, 128, 64, 1, 1), (138, 64, 128, 3, 1), (138, 128, 256, 3, 2),
        (69, 256, 128, 1, 1), (69, 128, 256, 3, 1), (69, 256, 512, 3, 2), (69, 256, 256, 1, 1),
        (35, 512, 256, 1, 1), (35, 256, 512, 3, 1), (35, 512, 1024, 3, 2),
        (18, 1024, 512, 1, 1), (18, 512, 1024, 3, 1), (18, 1024, 256, 1, 1),
    ]

    static let all: [sx_conv_shape] =
        extents.flatMap { extent in resNet.map { shape(extent[$0.0], $0.1, $0.2, $0.3, $0.4) } }
        + darkNet.map { shape($0.0, $0.1, $0.2, $0.3, $0.4) }

    private static func shape(_ extent: Int64, _ c: Int64, _ k: Int64, _ kernel: Int64, _ stride: Int64)
        -> sx_conv_shape
    {
        sx_conv_shape(
            c: c, extent, extent, k: k, kernel: kernel, stride: stride, pad: kernel / 2,
            from: c < 16 ? SX_LAYOUT_PLAIN : SX_LAYOUT_BLOCKED16,
            to: k % 16 == 0 ? SX_LAYOUT_BLOCKED16 : SX_LAYOUT_NHWC)
    }
}
