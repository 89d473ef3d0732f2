/// Finding what somebody may have meant.
package enum ClosestName {
    /// The candidate with the fewest edits (insert, delete, replace a byte) to `name`; `nil` when none is near.
    ///
    /// Near means at most a third of the name's length. Looks at the first 10,000 candidates and at names of up to
    /// 128 bytes, so that a hostile model cannot make an error expensive.
    package static func of(_ name: [UInt8], among candidates: some Sequence<[UInt8]>) -> [UInt8]? {
        guard !name.isEmpty, name.count <= 128 else { return nil }
        var best: (distance: Int, name: [UInt8])?
        let allowed = max(1, name.count / 3)
        for candidate in candidates.prefix(10_000) where !candidate.isEmpty && candidate.count <= 128 {
            let bound = min(allowed, (best?.distance ?? .max) - 1)
            guard abs(candidate.count - name.count) <= bound else { continue }
            let distance = editDistance(name, candidate)
            if distance <= bound { best = (distance, candidate) }
            if best?.distance == 0 { break }
        }
        return best?.name
    }

    package static func of(_ name: Name, among candidates: some Sequence<Name>) -> Name? {
        of(name.bytes, among: candidates.lazy.map(\.bytes)).map(Name.init(bytes:))
    }

    /// Levenshtein distance, one row of the table at a time.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let replaced = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
