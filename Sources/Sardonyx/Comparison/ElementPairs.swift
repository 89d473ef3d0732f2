import Operators
import TensorCore

/// The elements of two tensors of one shape side by side as numbers, a few thousand at a time, whatever their types.
struct ElementPairs {
    /// The element type that has the fewer digits; its tolerance counts.
    let coarserType: DType
    /// Numbers in one element: 2 for complex ones.
    let partsPerElement: Int
    private let actual: Tensor
    private let reference: Tensor
    private let isText: Bool

    /// - Throws: `value` when one is text and the other is not, or one is complex and the other is not.
    init(_ actual: Tensor, _ reference: Tensor) throws(SardonyxError) {
        let kinds = [actual.dtype, reference.dtype].map(Kind.init)
        guard kinds[0] == kinds[1] else {
            throw SardonyxError(.value, "", "element type", got: "\(actual.dtype)", allowed: "\(reference.dtype)")
        }
        self.actual = actual
        self.reference = reference
        isText = kinds[0] == .text
        partsPerElement = kinds[0] == .complex ? 2 : 1
        let isCoarser = Tolerance.relative(of: actual.dtype) > Tolerance.relative(of: reference.dtype)
        coarserType = isCoarser ? actual.dtype : reference.dtype
    }

    private enum Kind {
        case number, text, complex

        init(_ dtype: DType) {
            switch dtype {
            case .string: self = .text
            case .complex64, .complex128: self = .complex
            default: self = .number
            }
        }
    }

    /// - Parameter body: index, both numbers, and whether the elements are equal in their own type.
    func forEach(_ body: (Int, Double, Double, Bool) -> Void) throws(SardonyxError) {
        defer { withExtendedLifetime((actual, reference)) {} }
        let count = actual.shape.elementCount * partsPerElement
        if isText {
            let (a, r) = (actual.elements(of: String.self), reference.elements(of: String.self))
            // By bytes: to Swift composed and decomposed characters are equal.
            for index in 0..<count {
                let isSame = a[index].utf8.elementsEqual(r[index].utf8)
                body(index, isSame ? 0 : 1, 0, isSame)
            }
            return
        }
        let (left, right) = (try NumberReader(actual), try NumberReader(reference))
        // As Double, two of them may be the same number and yet differ.
        let isWide = actual.dtype == reference.dtype && (actual.dtype == .int64 || actual.dtype == .uint64)
        for start in stride(from: 0, to: count, by: NumberReader.capacity) {
            let length = min(NumberReader.capacity, count - start)
            let (a, r) = (try left.numbers(start, length), try right.numbers(start, length))
            if isWide {
                let (x, y) = (actual.elements(of: Int64.self), reference.elements(of: Int64.self))
                for index in 0..<length {
                    body(start + index, a[index], r[index], x[start + index] == y[start + index])
                }
            } else {
                for index in 0..<length { body(start + index, a[index], r[index], a[index] == r[index]) }
            }
        }
    }
}

/// Parts of a tensor's elements as float64.
struct NumberReader {
    private let tensor: Tensor
    private let partType: DType
    private let partSize: Int
    private let cast: ElementCast
    private let buffer: Buffer
    /// The most parts at a time.
    static let capacity = 4096

    /// - Throws: `unsupported` for text, `limit` when there is no memory.
    init(_ tensor: Tensor) throws(SardonyxError) {
        self.tensor = tensor
        switch tensor.dtype {
        case .complex64: partType = .float32
        case .complex128: partType = .float64
        default: partType = tensor.dtype
        }
        partSize = partType.byteSize
        cast = try ElementCast(from: partType, to: .float64, at: TensorComparison.Unplaced())
        buffer = try Buffer(byteCount: Self.capacity * MemoryLayout<Double>.stride)
    }

    /// At most `capacity` parts; valid until the next call.
    func numbers(_ start: Int, _ count: Int) throws(SardonyxError) -> UnsafePointer<Double> {
        let source = tensor.pointer + start * partSize
        if partType == .float64 { return source.assumingMemoryBound(to: Double.self) }
        try cast.run(from: source, to: buffer.pointer, count: min(count, Self.capacity), threads: 1)
        return UnsafePointer(buffer.pointer.assumingMemoryBound(to: Double.self))
    }
}
