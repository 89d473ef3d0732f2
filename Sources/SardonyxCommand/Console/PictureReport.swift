import Detection
import Foundation
import Sardonyx

/// What `sardonyx segment` says about one picture.
struct PictureReport: Encodable {
    struct Object: Encodable {
        let label: String
        let classIndex: Int
        let score: Float
        /// x1, y1, x2, y2 in whole pixels, truncated.
        let box: [Int]
        /// The same before truncation.
        let exactBox: [Float]
        /// Pixels of the mask; `nil`, as `segmentation`, from a detector that finds boxes only.
        let area: Int?
        /// Pieces of the mask; of each its outline and then its holes, as x, y pairs in pixels.
        let polygons: [[[Int]]]
        let segmentation: COCOResult.Segmentation?

        enum CodingKeys: String, CodingKey {
            case label
            case classIndex = "class_index"
            case score, box
            case exactBox = "exact_box"
            case area, polygons, segmentation
        }
    }

    let image: String
    /// `nil` for a picture that failed; so `height`.
    let width: Int?
    let height: Int?
    let objects: [Object]
    /// Milliseconds by stage.
    let milliseconds: [String: Double]
    /// Files that were written.
    let written: [String]
    /// What is wrong with a picture that could not be done.
    let error: String?

    init(_ path: String, _ fault: SardonyxError) {
        image = path
        (width, height) = (nil, nil)
        (objects, milliseconds, written) = ([], [:], [])
        error = fault.description
    }

    init(_ path: String, _ outcome: Segmenter.Outcome, _ written: [String]) {
        image = path
        width = outcome.instances.imageWidth
        height = outcome.instances.imageHeight
        objects = outcome.instances.map(Object.init)
        milliseconds = [
            "preprocessing": Units.milliseconds(outcome.preprocessing),
            "inference": Units.milliseconds(outcome.inference),
            "postprocessing": Units.milliseconds(outcome.postprocessing),
        ]
        self.written = written
        error = nil
    }

    /// The table for a terminal.
    var text: String {
        let times = ["preprocessing", "inference", "postprocessing"].map {
            Units.text(milliseconds: milliseconds[$0] ?? 0)
        }
        let count = objects.count == 1 ? "1 object" : "\(objects.count) objects"
        var lines = [
            "\(image)  \(width ?? 0)×\(height ?? 0)  \(count)  (prepare \(times[0]), network \(times[1]), results \(times[2]))"
        ]
        if !objects.isEmpty { lines.append(table) }
        return (lines + written.map { "  wrote \($0)" }).joined(separator: "\n")
    }

    /// There are objects, and none has a mask.
    var lacksMasks: Bool { !objects.isEmpty && objects.allSatisfy { $0.area == nil } }

    /// One row an object; boxes that are all the whole picture (classes of it) and areas that no object has are left
    /// out.
    private var table: String {
        let hasMasks = !lacksMasks
        let hasBoxes = hasMasks || objects.contains { $0.box != [0, 0, width ?? 0, height ?? 0] }
        let sides = ["x1", "y1", "x2", "y2"].map { (title: $0, alignment: TextTable.Alignment.right) }
        var table = TextTable(
            [("#", .right), (hasBoxes ? "object" : "label", .left), ("score", .right)] + (hasBoxes ? sides : [])
                + (hasMasks ? [("area", .right)] : []))
        for (rank, object) in objects.enumerated() {
            let box = hasBoxes ? object.box.map(String.init) : []
            let area = hasMasks ? [object.area.map(String.init) ?? ""] : []
            table.add(["\(rank + 1)", object.label, String(format: "%.2f", object.score)] + box + area)
        }
        return table.render()
    }
}

extension PictureReport.Object {
    init(_ instance: Instance) {
        label = instance.label
        classIndex = instance.classIndex
        score = instance.score
        box = [instance.box.x1, instance.box.y1, instance.box.x2, instance.box.y2]
        exactBox = [instance.exactBox.x1, instance.exactBox.y1, instance.exactBox.x2, instance.exactBox.y2]
        area = instance.mask?.area
        polygons = instance.polygons().map { polygon in
            ([polygon.exterior] + polygon.holes).map { ring in ring.flatMap { [$0.x, $0.y] } }
        }
        segmentation = instance.mask.map(COCOResult.Segmentation.init)
    }
}
