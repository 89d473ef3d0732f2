import TensorCore
import Testing

@testable import Detection

/// Network inputs against PyTorch's `interpolate` (`Fixtures/make.py`).
@Suite struct PreprocessorTests {
    @Test(arguments: 0..<5, [1, 2]) func agreesWithPyTorch(_ index: Int, _ threads: Int) throws {
        let data = try TestData.fixture("preprocess.npz")
        let pixels = try #require(data["pixels\(index)"])
        let image = try Image(width: pixels.shape[1], height: pixels.shape[0], pixels: pixels.array())
        let (red, blue) = ((mean: 123.68 as Float, std: 58.40 as Float), (mean: 103.94 as Float, std: 57.38 as Float))
        for channels in ChannelOrder.allCases {
            let expected = try #require(data["\(channels.rawValue)\(index)"])
            let ends = channels == .rgb ? (red, blue) : (blue, red)
            let input = try ModelCard.Input(
                geometry: .stretch(width: expected.shape[3], height: expected.shape[2]), channels: channels,
                mean: [ends.0.mean, 116.78, ends.1.mean], std: [ends.0.std, 57.12, ends.1.std])
            let tensor = try Preprocessor(input).tensor(for: image, threads: threads)
            #expect(tensor.shape == expected.shape)
            // Coordinates up to 64 are rounded to 2^-18 on both axes: 2 · 2^-18 · 255, divided by a deviation of 57.
            #expect(try largestDifference(tensor, expected) < 4e-5)
        }
    }

    @Test func batchHoldsEveryPicture() throws {
        let preprocessor = Preprocessor(try ModelCard.Input(geometry: .stretch(width: 8, height: 6)))
        let images = [try Image(width: 3, height: 3, red: 10), try Image(width: 30, height: 20, green: 200, blue: 7)]
        let batch = try preprocessor.tensor(for: images, threads: 2)
        #expect(batch.shape.dims == [2, 3, 6, 8])
        let values = try batch.array(of: Float.self)
        for (plane, expected) in [10, 0, 0, 0, 200, 7].enumerated() {
            #expect(values[plane * 48..<(plane + 1) * 48].allSatisfy { $0 == Float(expected) })
        }
        #expect(throws: SardonyxError.self) { try preprocessor.tensor(for: [], threads: 1) }
    }

    @Test(arguments: [(0, 5), (-3, 5), (1 << 40, 1 << 40), (1 << 20, 1 << 20)])
    func impossiblePicturesAreErrors(_ width: Int, _ height: Int) {
        #expect(throws: SardonyxError.self) { try Image(width: width, height: height) }
        #expect(throws: SardonyxError.self) { try Image(width: width, height: height, pixels: []) }
    }
}

func largestDifference(_ a: Tensor, _ b: Tensor) throws -> Float {
    zip(try a.array(of: Float.self), try b.array(of: Float.self)).map { abs($0 - $1) }.max() ?? 0
}
