/// What is wrong with a pattern, and where.
struct RegexFault: Error, Sendable {
    /// Number of Unicode scalars before the place.
    let position: Int
    let sentence: String
}
