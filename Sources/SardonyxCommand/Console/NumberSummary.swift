/// What a stream of numbers amounts to; infinities and NaN are only counted.
struct NumberSummary {
    private(set) var minimum: Double?
    private(set) var maximum: Double?
    private var sum = 0.0
    private var finiteCount = 0
    private var otherCount = 0

    mutating func add(_ value: Double) {
        guard value.isFinite else {
            otherCount += 1
            return
        }
        minimum = min(minimum ?? value, value)
        maximum = max(maximum ?? value, value)
        sum += value
        finiteCount += 1
    }

    var mean: Double? { finiteCount == 0 ? nil : sum / Double(finiteCount) }

    /// `nil` when nothing was added.
    var notFinite: Int? { finiteCount + otherCount == 0 ? nil : otherCount }
}
