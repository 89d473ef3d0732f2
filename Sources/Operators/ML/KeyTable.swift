/// Finds 64-bit keys in a list; of equal ones the last. A table with open addressing that is at most half full, hashed
/// by a multiplier of its own, drawn by chance: no list of keys can be made to collide.
struct KeyTable: Sendable {
    private struct Slot {
        var key: Int64 = 0
        /// Negative where the slot is free.
        var position = -1
    }
    private var slots: [Slot]
    private let multiplier = UInt64.random(in: 0 ... .max) | 1
    private let shift: UInt64

    init(_ keys: some Collection<Int64>) {
        let bits = max(2, 65 - keys.count.leadingZeroBitCount)
        shift = UInt64(64 - bits)
        slots = [Slot](repeating: Slot(), count: 1 << bits)
        for (position, key) in keys.enumerated() {
            let slot = slots.withUnsafeBufferPointer { find(key, $0) }
            slots[slot] = Slot(key: key, position: position)
        }
    }

    /// The slot of a key, or the free one where it would be.
    @inline(__always)
    private func find(_ key: Int64, _ slots: UnsafeBufferPointer<Slot>) -> Int {
        var slot = Int(truncatingIfNeeded: (UInt64(bitPattern: key) &* multiplier) &>> shift)
        while slots[slot].position >= 0, slots[slot].key != key { slot = (slot &+ 1) & (slots.count &- 1) }
        return slot
    }

    /// Calls `body` with each element of a range and the position of its key, `nil` where there is none.
    @inline(__always)
    func forEach(_ elements: Range<Int>, _ key: (Int) -> Int64?, _ body: (Int, Int?) -> Void) {
        slots.withUnsafeBufferPointer { slots in
            for element in elements {
                let position = key(element).map { slots[find($0, slots)].position } ?? -1
                body(element, position < 0 ? nil : position)
            }
        }
    }
}
