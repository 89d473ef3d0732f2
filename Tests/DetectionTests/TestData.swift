import Foundation
import NumpyIO
import TensorCore
import Testing

@testable import Detection

/// Where expected values lie.
enum TestData {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// A file of `Fixtures/`, written by its `make.py`.
    static func fixture(_ name: String) throws -> [String: Tensor] {
        try Npz.read(folder.appendingPathComponent("Fixtures/\(name)").path)
    }

    /// The path of a file of the shared reference data.
    static func shared(_ name: String) throws -> String {
        let path = folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("shared/data/\(name)").path
        try #require(
            FileManager.default.fileExists(atPath: path),
            "The reference data 'shared/data/\(name)' is missing: looked for it at \(path), beside the package's folder."
        )
        return path
    }
}

extension Detector {
    /// Decodes as the card's geometry places a picture of this size.
    func decode(
        outputs: [String: Tensor], batchIndex: Int = 0, imageWidth: Int, imageHeight: Int,
        options: DetectionOptions = DetectionOptions(), threads: Int = 1
    ) throws -> Instances {
        try decode(
            outputs: outputs, batchIndex: batchIndex,
            placement: Placement(imageWidth: imageWidth, imageHeight: imageHeight, geometry: card.input.geometry),
            options: options, threads: threads)
    }
}

/// Pixels of an instance's mask; -1 without one.
func area(_ instance: Instance) -> Int { instance.mask?.area ?? -1 }
