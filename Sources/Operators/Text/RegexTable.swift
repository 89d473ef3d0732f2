/// A program as a table: what becomes of each set of its steps with each symbol, a class of ASCII scalars that it does
/// not tell apart.
struct RegexTable: Sendable {
    private static let mostStates = 256
    /// Steps followed to make the table, at most.
    private static let mostWork = 1 << 20
    /// The state that nothing leads out of.
    private static let stuck: UInt16 = 0

    /// By ASCII scalar.
    private let symbols: [UInt8]
    private let symbolCount: Int
    /// By state and symbol.
    private let next: [UInt16]
    /// By state: whether the text may end there.
    private let isEnd: [Bool]
    private let start: UInt16

    /// `nil` when the program looks at the neighbours of a place, or when the table would be large.
    init?(_ program: RegexProgram) {
        let looksAtEndsOnly = program.steps.allSatisfy { step in
            guard case .require(let assertion) = step else { return true }
            return assertion == .textStart || assertion == .textEnd
        }
        guard looksAtEndsOnly else { return nil }
        var machine = RegexProgram.Machine(program)
        var (symbols, samples) = ([UInt8](), [UInt32]())
        var known: [[Bool]: UInt8] = [:]
        for value in 0..<UInt32(128) {
            let members = program.classes.map { $0.contains(value) }
            if known[members] == nil {
                known[members] = UInt8(samples.count)
                samples.append(value)
            }
            symbols.append(known[members] ?? 0)
        }
        var states = [State([], previous: nil, by: &machine)]
        var numbers = [states[0]: RegexTable.stuck]
        func number(_ state: State) -> UInt16 {
            if let number = numbers[state] { return number }
            numbers[state] = UInt16(states.count)
            states.append(state)
            return UInt16(states.count - 1)
        }
        start = number(State([0], previous: nil, by: &machine))
        var next: [UInt16] = []
        var (index, work) = (0, 0)
        while index < states.count {
            let waiting = states[index].waiting
            for value in samples {
                let reached = waiting.filter { program.takes($0, value) }.map { $0 + 1 }
                next.append(number(State(reached, previous: 0, by: &machine)))
                work += waiting.count + (reached.isEmpty ? 1 : program.steps.count)
                guard work <= RegexTable.mostWork, states.count <= RegexTable.mostStates else { return nil }
            }
            index += 1
        }
        (self.symbols, symbolCount, self.next) = (symbols, samples.count, next)
        isEnd = states.map(\.isEnd)
    }

    /// Whether the program takes the whole text; `nil` for a text that is not ASCII.
    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        var state = start
        for byte in text {
            guard byte < 128 else { return nil }
            state = next[Int(state) * symbolCount + Int(symbols[Int(byte)])]
            if state == RegexTable.stuck { return false }
        }
        return isEnd[Int(state)]
    }

    private struct State: Hashable {
        /// The steps that wait for a scalar, in order.
        let waiting: [Int]
        let isEnd: Bool

        /// What is reached from these steps.
        /// - Parameter previous: the scalar before them; any stands for all, since only the ends of the text matter.
        init(_ steps: [Int], previous: UInt32?, by machine: inout RegexProgram.Machine) {
            machine.leave()
            for step in steps { machine.enter(step, previous: previous, next: 0) }
            waiting = machine.waiting.sorted()
            machine.leave()
            for step in steps { machine.enter(step, previous: previous, next: nil) }
            isEnd = machine.hasEnded
        }
    }
}
