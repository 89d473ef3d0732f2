import Detection
import NumpyIO
import TensorCore
import Testing

@testable import Media

/// From the photo's file to the network's input, against what the YOLACT reference makes of it
/// (shared/data/yolact/preprocess, found beside the package's folder).
@Suite struct PreprocessingTests {
    @Test(arguments: [1, 2]) func aPhotoBecomesTheReferencesInput(threads: Int) throws {
        let image = try ImageFile.read(Fixtures.shared + "/data/photos/000000117525.jpg")
        let reference = try Npz.read(Fixtures.shared + "/data/yolact/preprocess/000000117525_400.npz")
        let expected = try #require(reference["resnet"])
        // yolact.md: means and deviations of the reference, in RGB order.
        let input = try ModelCard.Input(
            geometry: .stretch(width: 400, height: 400), channels: .rgb, mean: [123.68, 116.78, 103.94],
            std: [58.40, 57.12, 57.38])
        let tensor = try Preprocessor(input).tensor(for: image, threads: threads)
        #expect(tensor.shape == expected.shape)
        let pairs = zip(try tensor.array(of: Float.self), try expected.array(of: Float.self))
        // Float32 rounding of values up to 255 divided by 57 stays far under the promised 1e-4.
        #expect(pairs.allSatisfy { abs($0 - $1) <= 1e-4 })
    }
}
