import GraphIR
import TensorCore

/// Finds elements in a list by equality: strings by their bytes, numbers by value, NaN equal to NaN. Of equal elements
/// the last one is found.
struct ElementIndex: Sendable {
    let dtype: DType
    private enum Positions: Sendable {
        case strings([[UInt8]: Int])
        case integers(KeyTable)
        case reals(KeyTable)
    }
    private let positions: Positions

    static let dtypes: [DType] = [.string, .int64, .int32, .int16, .float32, .float64]

    /// - Throws: `unsupported` for element types that are not in `dtypes`.
    init(_ list: Tensor, at place: some NodePlace) throws(SardonyxError) {
        dtype = list.dtype
        switch dtype {
        case .string:
            let keys = list.elements(of: String.self).lazy.map { Array($0.utf8) }
            positions = .strings(Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 }))
        case .int64: positions = .integers(KeyTable(list.elements(of: Int64.self)))
        case .int32: positions = .integers(KeyTable(list.elements(of: Int32.self).map(Int64.init)))
        case .int16: positions = .integers(KeyTable(list.elements(of: Int16.self).map(Int64.init)))
        case .float32: positions = .reals(KeyTable(list.elements(of: Float.self).map { ElementIndex.key(Double($0)) }))
        case .float64: positions = .reals(KeyTable(list.elements(of: Double.self).map(ElementIndex.key)))
        default:
            throw place.error(
                .unsupported, "element type of a list", got: "\(dtype)",
                allowed: ElementIndex.dtypes.map(\.description).joined(separator: ", "), hint: nil)
        }
    }

    private static func key(_ value: Double) -> Int64 {
        value.isNaN ? Int64(bitPattern: Double.nan.bitPattern) : value == 0 ? 0 : Int64(bitPattern: value.bitPattern)
    }

    /// The position in the list of an element of a view; numbers of other types than the list's are truncated to it.
    func position(of element: Int, in view: TensorView) -> Int? {
        var found: Int?
        forEach(element..<element + 1, of: view) { found = $1 }
        return found
    }

    /// Calls `body` with the number of each of some elements of a view and its position in the list.
    @inline(__always)
    func forEach(_ elements: Range<Int>, of view: TensorView, _ body: (_ element: Int, _ position: Int?) -> Void) {
        switch (positions, view.dtype) {
        case (.strings(let positions), .string):
            let texts = view.typed(String.self)
            for element in elements { body(element, positions[Array(texts[element].utf8)]) }
        case (.integers(let table), .int64):
            let numbers = view.typed(Int64.self)
            table.forEach(elements, { numbers[$0] }, body)
        case (.integers(let table), .int32), (.integers(let table), .int16):
            let (wide, narrow) = (view.typed(Int32.self), view.typed(Int16.self))
            let isWide = view.dtype == .int32
            table.forEach(elements, { isWide ? Int64(wide[$0]) : Int64(narrow[$0]) }, body)
        case (.integers(let table), .float32), (.integers(let table), .float64):
            table.forEach(elements, { Int64(exactly: view.double($0).rounded(.towardZero)) }, body)
        case (.reals(let table), .float32), (.reals(let table), .float64):
            table.forEach(elements, { ElementIndex.key(view.double($0)) }, body)
        default: for element in elements { body(element, nil) }
        }
    }
}

extension NodeReader {
    /// A list attribute as a tensor: of strings, int64 or float32; `nil` when it is absent or empty.
    func list(_ name: String) throws(SardonyxError) -> Tensor? {
        guard let attribute = node.attributes[name] else { return nil }
        let tensor: Tensor
        switch attribute {
        case .ints(let values): tensor = try Tensor(values.map(Int64.init), dims: [values.count])
        case .floats(let values): tensor = try Tensor(values, dims: [values.count])
        case .strings: tensor = try Tensor(try strings(name) ?? [], dims: [try strings(name)?.count ?? 0])
        case .tensor(let constant): tensor = try constant.tensor()
        default: throw error(.graph, "attribute \(name) must be a list or a tensor")
        }
        return tensor.shape.elementCount == 0 ? nil : tensor
    }

    /// The first of some list attributes that is there.
    func firstList(_ names: [String]) throws(SardonyxError) -> Tensor? {
        for name in names {
            if let tensor = try list(name) { return tensor }
        }
        return nil
    }
}
