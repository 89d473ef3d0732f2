import Media
import Sardonyx

/// Usage: SegmentPicture MODEL.onnx PICTURE OVERLAY.png
@main
struct SegmentPicture {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            print("usage: SegmentPicture MODEL.onnx PICTURE OVERLAY.png")
            return
        }
        let session = try Model(contentsOf: arguments[1]).session()
        let yolact = try Yolact(session)
        let image = try ImageFile.read(arguments[2])
        let instances = try yolact.segment(image)
        for instance in instances {
            let area = instance.mask?.area ?? 0
            print(instance.label, instance.score, instance.box, "mask of \(area) pixels")
        }
        try ImageFile.write(try Overlay.draw(image, instances), to: arguments[3])
    }
}
