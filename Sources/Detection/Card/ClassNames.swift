/// Labels for a card that is made from a graph: the file's own, else those of the data set that the class count gives
/// away, else "class 0", "class 1", …
struct ClassNames: Sendable, Hashable {
    let labels: [String]
    /// `nil`: 1, 2, … in the order of the labels.
    let categoryIDs: [Int]?
    /// Where the labels come from, a sentence for `CardProposal.reasons`.
    let reason: String
    /// The file says them.
    let areKnown: Bool

    /// - Parameters:
    ///   - count: foreground classes of the scores, at least 1.
    ///   - metadata: the file's; `names` as ultralytics writes it counts when it has `count` names.
    init(count: Int, metadata: [String: String] = [:]) {
        let named = ClassNames.names(in: metadata)
        areKnown = named?.count == count
        if let named, named.count == count {
            let isCOCO = named == ClassNames.coco
            (labels, categoryIDs) = (named, isCOCO ? ClassNames.cocoIDs : nil)
            reason = "The file's metadata names the \(count) classes."
            return
        }
        switch count {
        case 80:
            (labels, categoryIDs) = (ClassNames.coco, ClassNames.cocoIDs)
            reason = "There are 80 classes: assumed to be COCO's in its order."
        case 90:
            (labels, categoryIDs) = (Array(ClassNames.cocoByID.dropFirst()), nil)
            reason = "There are 90 classes: assumed to be COCO's category identifiers 1 to 90."
        case 91:
            (labels, categoryIDs) = (ClassNames.cocoByID, Array(0...90))
            reason = "There are 91 classes: assumed to be COCO's category identifiers 0 (background) to 90."
        default:
            (labels, categoryIDs) = ((0..<count).map { "class \($0)" }, nil)
            reason = "Nothing names the classes: they are numbered from 0."
        }
    }

    /// The metadata's `names`: a dictionary from 0, 1, … or a list; `nil` when there is none that can be read.
    static func names(in metadata: [String: String]) -> [String]? {
        guard let elements = metadata["names"].flatMap(PythonLiteral.init)?.elements, !elements.isEmpty else {
            return nil
        }
        let names = elements.compactMap(\.string)
        return names.count == elements.count ? names : nil
    }

    /// COCO's 80 classes.
    static let coco = [
        "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
        "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
        "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
        "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
        "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
        "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
        "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
        "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
        "hair drier", "toothbrush",
    ]

    /// The category identifiers of the 80 classes: 1 to 90 without the ten that COCO dropped.
    static let cocoIDs = (1...90).filter { ![12, 26, 29, 30, 45, 66, 68, 69, 71, 83].contains($0) }

    /// One name an identifier from 0 (background) to 90, as torchvision lists them.
    static let cocoByID: [String] = {
        let names = Dictionary(uniqueKeysWithValues: zip(cocoIDs, coco))
        return (0...90).map { $0 == 0 ? "__background__" : names[$0] ?? "N/A" }
    }()
}
