import Detection
import Foundation
import Media
import Sardonyx
import TensorCore

/// Writes what was asked for of every picture.
struct SegmentWriter {
    private let directory: String
    private let formats: Set<Segment.Format>
    private let names: [String]
    private let imageIDs: [Int]
    private var results: [COCOResult] = []

    init(directory: String, formats: Set<Segment.Format>, paths: [String]) {
        self.directory = directory
        self.formats = formats
        let stems = paths.map { (($0 as NSString).lastPathComponent as NSString).deletingPathExtension }
        names = Self.distinct(stems, besides: formats.contains(.coco) ? ["coco"] : [])
        imageIDs = Self.imageIDs(stems)
    }

    /// COCO names its files by image id; other pictures are numbered in the order given.
    static func imageIDs(_ stems: [String]) -> [Int] {
        let numbers = stems.compactMap { Int($0) }
        return Set(numbers).count == stems.count ? numbers : stems.indices.map { $0 + 1 }
    }

    /// Names of results: pictures of one name (from different directories) must not overwrite each other's.
    /// - Parameter besides: names of other files.
    static func distinct(_ stems: [String], besides: Set<String>) -> [String] {
        let counts = Dictionary(stems.map { ($0, 1) }, uniquingKeysWith: +)
        var used = besides.union(stems)
        return stems.enumerated().map { index, stem in
            if counts[stem] == 1, !besides.contains(stem) { return stem }
            var name = "\(stem)-\(index + 1)"
            while !used.insert(name).inserted { name += "-\(index + 1)" }
            return name
        }
    }

    /// - Returns: paths of the files written.
    mutating func write(_ instances: Instances, of image: Image, index: Int) throws -> [String] {
        var written: [String] = []
        if formats.contains(.overlay) {
            let path = path(names[index] + ".overlay.png")
            try ImageFile.write(try Overlay.draw(image, instances), to: path)
            written.append(path)
        }
        if formats.contains(.json) {
            let path = path(names[index] + ".json")
            try write(try Console.json(instances.map(PictureReport.Object.init)), to: path)
            written.append(path)
        }
        if formats.contains(.cutout) {
            for (rank, instance) in instances.enumerated() where instance.mask.map({ $0.area > 0 }) ?? false {
                let path = path("\(names[index]).\(rank + 1).\(instance.label.replacing("/", with: "_")).png")
                try Cutout.write(instance, of: image, to: path)
                written.append(path)
            }
        }
        if formats.contains(.coco) { results += instances.cocoResults(imageID: imageIDs[index]) }
        return written
    }

    /// Writes what belongs to all pictures together.
    /// - Returns: the path of the COCO results file, when one was asked for.
    func finish() throws -> String? {
        guard formats.contains(.coco) else { return nil }
        let path = path("coco.json")
        try write(try Console.json(results), to: path)
        return path
    }

    private func path(_ name: String) -> String { (directory as NSString).appendingPathComponent(name) }

    private func write(_ text: String, to path: String) throws(SardonyxError) {
        try WholeFile.write([Array(text.utf8)], to: path, as: .input)
    }
}
