import TensorCore

extension RunContext {
    /// The output's memory: that of the plan when its shape was inferable, else allocated now.
    /// - Throws: `internal` when the plan's shape is another one, `limit` when the budget does not allow it.
    package func output(_ index: Int, dtype: DType, shape: Shape) throws(SardonyxError) -> TensorView {
        guard index < outputs.count, let view = outputs[index] else {
            return try allocate(index, dtype: dtype, shape: shape)
        }
        guard view.shape == shape else {
            throw error(.internal, "output \(index) shape", got: "\(shape)", allowed: "\(view.shape) as inferred")
        }
        return view
    }

    /// The elements of an integer input; `nil` when it is absent.
    /// - Throws: `value` when one does not fit in 64 signed bits, `unsupported` for other element types.
    package func integers(_ index: Int) throws(SardonyxError) -> [Int]? {
        guard hasInput(index) else { return nil }
        let view = try input(index)
        try budget.check(CheckedSize.product(view.elementCount, 8) ?? .max, for: label)
        struct Body: IntegerBody {
            let view: TensorView
            func run<T: NumericElement & FixedWidthInteger>(_ type: T.Type) throws(SardonyxError) -> [Int] {
                var values: [Int] = []
                values.reserveCapacity(view.elementCount)
                for element in view.elements(T.self) {
                    guard let value = Int(exactly: element) else {
                        throw SardonyxError(
                            .value, "", "element \(values.count)", got: "\(element)", allowed: "64 signed bits")
                    }
                    values.append(value)
                }
                return values
            }
        }
        do { return try withIntegerType(view.dtype, Body(view: view)) } catch {
            throw error.placed(at: "\(label): input \(index)")
        }
    }

    /// The single element of an integer input; `nil` when it is absent.
    /// - Throws: `shape` when there is not exactly one element.
    package func integer(_ index: Int) throws(SardonyxError) -> Int? {
        guard let values = try integers(index) else { return nil }
        guard values.count == 1 else {
            throw error(.shape, "input \(index)", got: "\(values.count) elements", allowed: "1 element")
        }
        return values[0]
    }

    /// The numbers in ascending order, with a look at the clock now and then.
    package func sorted(
        _ numbers: some Sequence<Int>, by isBefore: (Int, Int) -> Bool
    ) throws(SardonyxError) -> [Int] {
        var count = 0
        do {
            return try numbers.sorted { a, b in
                count += 1
                if count % 4096 == 0 { try interruption?.check() }
                return isBefore(a, b)
            }
        } catch let fault as SardonyxError {
            throw fault
        } catch {
            throw self.error(.internal, "sorting failed")
        }
    }

    /// Adds this node's label to errors of bodies that do not know it.
    package func placing<Result>(_ body: () throws(SardonyxError) -> Result) throws(SardonyxError) -> Result {
        do { return try body() } catch { throw error.place.hasPrefix(label) ? error : error.placed(at: label) }
    }
}
