import Foundation
import Sardonyx

/// The objects of one picture.
struct InstanceMatchingText {
    private let picture: ComparisonReport.Picture

    init(_ picture: ComparisonReport.Picture) { self.picture = picture }

    var text: String {
        let matching = picture.matching
        var lines = [
            "\(picture.image): \(matching.pairs.count) objects in both, \(matching.lone.count) here only, "
                + "\(matching.referenceLone.count) in the reference only"
        ]
        if !matching.pairs.isEmpty {
            var table = TextTable([
                ("object", .left), ("score", .right), ("reference", .right), ("box IoU", .right), ("box px", .right),
                ("mask IoU", .right), ("mask px", .right),
            ])
            for pair in matching.pairs {
                table.add(
                    pair.label, String(format: "%.4f", pair.score), String(format: "%.4f", pair.referenceScore),
                    String(format: "%.4f", pair.boxIoU), String(format: "%.2f", pair.boxDifference),
                    pair.maskIoU.map { String(format: "%.4f", $0) } ?? "", pair.maskDifference.map(String.init) ?? "")
            }
            lines.append(table.render())
        }
        for (side, lone) in [("here", matching.lone), ("in the reference", matching.referenceLone)] {
            for object in lone {
                let box = object.box.map { String(format: "%.1f", $0) }.joined(separator: ", ")
                lines.append("  only \(side): \(object.label) \(String(format: "%.4f", object.score)) [\(box)]")
            }
        }
        return lines.joined(separator: "\n")
    }
}
