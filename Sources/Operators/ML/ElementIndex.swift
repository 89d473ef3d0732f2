import GraphIR
import TensorCore

/// Finds elements in a list by equality: strings by their bytes, numbers by value, NaN equal to NaN. Of equal elements
/// the last one is found.
struct ElementIndex: Sendable {
    let dtype: DType
    private enum Positions: Sendable {
        case strings([[UInt8]: Int])
        case integers([Int64: Int])
        case reals([UInt64: Int])
    }
    private let positions: Positions

    static let dtypes: [DType] = [.string, .int64, .int32, .int16, .float32, .float64]

    /// - Throws: `unsupported` for element types that are not in `dtypes`.
    init(_ list: Tensor, at place: some NodePlace) throws(SardonyxError) {
        func index<Key: Hashable>(_ keys: some Sequence<Key>) -> [Key: Int] {
            Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
        }
        dtype = list.dtype
        switch dtype {
        case .string: positions = .strings(index(list.elements(of: String.self).lazy.map { Array($0.utf8) }))
        case .int64: positions = .integers(index(list.elements(of: Int64.self)))
        case .int32: positions = .integers(index(list.elements(of: Int32.self).lazy.map(Int64.init)))
        case .int16: positions = .integers(index(list.elements(of: Int16.self).lazy.map(Int64.init)))
        case .float32:
            positions = .reals(index(list.elements(of: Float.self).lazy.map { ElementIndex.key(Double($0)) }))
        case .float64: positions = .reals(index(list.elements(of: Double.self).lazy.map(ElementIndex.key)))
        default:
            throw place.error(
                .unsupported, "element type of a list", got: "\(dtype)",
                allowed: ElementIndex.dtypes.map(\.description).joined(separator: ", "), hint: nil)
        }
    }

    private static func key(_ value: Double) -> UInt64 {
        value.isNaN ? Double.nan.bitPattern : value == 0 ? 0 : value.bitPattern
    }

    /// The position in the list of an element of a view; numbers of other types than the list's are truncated to it.
    func position(of element: Int, in view: TensorView) -> Int? {
        switch positions {
        case .strings(let positions):
            guard view.dtype == .string else { return nil }
            return positions[Array(view.typed(String.self)[element].utf8)]
        case .integers(let positions): return integer(element, view).flatMap { positions[$0] }
        case .reals(let positions):
            switch view.dtype {
            case .float32: return positions[ElementIndex.key(Double(view.floats[element]))]
            case .float64: return positions[ElementIndex.key(view.typed(Double.self)[element])]
            default: return nil
            }
        }
    }

    private func integer(_ element: Int, _ view: TensorView) -> Int64? {
        switch view.dtype {
        case .int64: view.typed(Int64.self)[element]
        case .int32: Int64(view.typed(Int32.self)[element])
        case .int16: Int64(view.typed(Int16.self)[element])
        case .float32: CheckedSize.integer(view.floats[element]).map(Int64.init)
        case .float64: CheckedSize.integer(view.typed(Double.self)[element]).map(Int64.init)
        default: nil
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
