/// Reads a pattern in the syntax of RE2 and makes its program, without recursion.
///
/// Laziness and names of groups are read and change nothing: a match is of the whole text or none.
/// Not there: `\C`, and scripts in `\p{…}`.
struct RegexParser {
    struct Flags {
        var foldsCase = false
        var isMultiline = false
        var dotTakesNewline = false
    }

    /// What has been read of a group so far.
    private struct Group {
        let opening: Int
        let outerFlags: Flags
        var alternatives: [[RegexProgram.Step]] = []
        var steps: [RegexProgram.Step] = []
        /// Where the last thing that may be repeated begins.
        var atom: Int?
        var isRepeated = false
    }

    static let mostSteps = 65_536
    static let mostGroups = 1000
    static let mostRepeats = 1000

    var source: RegexSource
    var flags = Flags()
    private var groups: [Group]
    private var classes: [RegexClass] = []
    private var literals: [UInt64: Int32] = [:]
    /// Of all groups that are open.
    private var stepCount = 0

    private init(_ pattern: String) {
        source = RegexSource(pattern)
        groups = [Group(opening: 0, outerFlags: Flags())]
    }

    static func program(_ pattern: String) throws(RegexFault) -> RegexProgram {
        var parser = RegexParser(pattern)
        while let scalar = parser.source.next() { try parser.read(scalar) }
        guard parser.groups.count == 1 else {
            throw RegexFault(position: parser.groups[parser.groups.count - 1].opening, sentence: "( is never closed")
        }
        return RegexProgram(steps: try parser.closed(parser.groups[0]), classes: parser.classes)
    }

    private mutating func read(_ scalar: Unicode.Scalar) throws(RegexFault) {
        switch scalar {
        case "(": try open()
        case ")": try close()
        case "|":
            groups[groups.count - 1].alternatives.append(groups[groups.count - 1].steps)
            groups[groups.count - 1].steps = []
            groups[groups.count - 1].atom = nil
            groups[groups.count - 1].isRepeated = false
            try count(2)
        case "*": try repeatAtom(0, nil)
        case "+": try repeatAtom(1, nil)
        case "?": try repeatAtom(0, 1)
        case "{":
            if let counts = try source.counts() {
                try repeatAtom(counts.least, counts.most)
            } else {
                try add(literal: scalar)
            }
        case ".":
            try add(RegexClass(flags.dotTakesNewline ? [] : [.range(0x0A...0x0A)], isNegated: true))
        case "^": try add(.require(flags.isMultiline ? .lineStart : .textStart))
        case "$": try add(.require(flags.isMultiline ? .lineEnd : .textEnd))
        case "[": try add(try source.bracketClass(flags))
        case "\\": try readEscape()
        default: try add(literal: scalar)
        }
    }

    // MARK: Atoms

    private mutating func readEscape() throws(RegexFault) {
        switch source.peek {
        case "A": try assert(.textStart)
        case "z": try assert(.textEnd)
        case "b": try assert(.wordBoundary)
        case "B": try assert(.noWordBoundary)
        case "Q":
            _ = source.next()
            while source.peek != nil, !source.take("\\E") {
                if let scalar = source.next() { try add(literal: scalar) }
            }
        default:
            if let item = try source.setEscape() {
                try add(RegexClass([item], foldsCase: flags.foldsCase))
            } else {
                try add(literal: try source.scalarEscape())
            }
        }
    }

    private mutating func assert(_ assertion: RegexProgram.Assertion) throws(RegexFault) {
        _ = source.next()
        try add(.require(assertion))
    }

    private mutating func add(literal scalar: Unicode.Scalar) throws(RegexFault) {
        let key = UInt64(scalar.value) << 1 | (flags.foldsCase ? 1 : 0)
        if let known = literals[key] { return try add(.consume(known)) }
        literals[key] = Int32(classes.count)
        try add(RegexClass([.range(scalar.value...scalar.value)], foldsCase: flags.foldsCase))
    }

    private mutating func add(_ set: RegexClass) throws(RegexFault) {
        classes.append(set)
        try add(.consume(Int32(classes.count - 1)))
    }

    private mutating func add(_ step: RegexProgram.Step) throws(RegexFault) {
        try count(1)
        groups[groups.count - 1].atom = groups[groups.count - 1].steps.count
        groups[groups.count - 1].steps.append(step)
        groups[groups.count - 1].isRepeated = false
    }

    private mutating func count(_ steps: Int) throws(RegexFault) {
        stepCount += steps
        guard stepCount <= Self.mostSteps else {
            throw source.fault("the pattern has more than \(Self.mostSteps) steps with its repetitions written out")
        }
    }

    // MARK: Repetition and groups

    private mutating func repeatAtom(_ least: Int, _ most: Int?) throws(RegexFault) {
        let group = groups[groups.count - 1]
        guard let atom = group.atom else { throw source.fault("nothing to repeat") }
        guard !group.isRepeated else { throw source.fault("a repetition of a repetition needs a group") }
        guard max(least, most ?? 0) <= Self.mostRepeats, least <= most ?? least else {
            throw source.fault("repetitions go up to \(Self.mostRepeats), the lesser number first")
        }
        _ = source.take("?")
        let part = Array(group.steps[atom...])
        try count(part.repeatedCount(least, most) - part.count)
        groups[groups.count - 1].steps.removeSubrange(atom...)
        groups[groups.count - 1].steps += part.repeated(least, most)
        groups[groups.count - 1].isRepeated = true
    }

    private mutating func open() throws(RegexFault) {
        let (opening, outer) = (source.position - 1, flags)
        if source.take("?") {
            if source.take("P<") || source.take("<") {
                try source.skipGroupName()
            } else if try source.flags(&flags) == .toGroupEnd {
                return
            }
        }
        guard groups.count <= Self.mostGroups else {
            throw source.fault("more than \(Self.mostGroups) groups are open")
        }
        groups.append(Group(opening: opening, outerFlags: outer))
    }

    private mutating func close() throws(RegexFault) {
        guard groups.count > 1, let group = groups.popLast() else { throw source.fault(") without (") }
        let steps = try closed(group)
        flags = group.outerFlags
        groups[groups.count - 1].atom = groups[groups.count - 1].steps.count
        groups[groups.count - 1].steps += steps
        groups[groups.count - 1].isRepeated = false
    }

    /// All alternatives of a group. Balanced, so that the time to join many does not grow with the square.
    private func closed(_ group: Group) throws(RegexFault) -> [RegexProgram.Step] {
        var parts = group.alternatives + [group.steps]
        while parts.count > 1 {
            parts = stride(from: 0, to: parts.count, by: 2).map { index in
                index + 1 < parts.count ? parts[index].or(parts[index + 1]) : parts[index]
            }
        }
        return parts[0]
    }
}
