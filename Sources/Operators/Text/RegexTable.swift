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
        let closure = Closure(program)
        guard closure.isPossible else { return nil }
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
        var states = [State(waiting: [], isEnd: false)]
        var numbers = [states[0]: RegexTable.stuck]
        func number(_ state: State) -> UInt16 {
            if let number = numbers[state] { return number }
            numbers[state] = UInt16(states.count)
            states.append(state)
            return UInt16(states.count - 1)
        }
        start = number(closure.state([0], isStart: true))
        var next: [UInt16] = []
        var (index, work) = (0, 0)
        while index < states.count {
            let waiting = states[index].waiting
            for value in samples {
                let reached = waiting.filter { closure.takes($0, value) }.map { $0 + 1 }
                next.append(number(closure.state(reached, isStart: false)))
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
        var waiting: [Int]
        var isEnd: Bool
    }

    /// Follows the steps that take no scalar.
    private struct Closure {
        let program: RegexProgram

        init(_ program: RegexProgram) { self.program = program }

        /// Whether nothing but the ends of the text matters to an assertion.
        var isPossible: Bool {
            program.steps.allSatisfy { step in
                guard case .require(let assertion) = step else { return true }
                return assertion == .textStart || assertion == .textEnd
            }
        }

        func takes(_ step: Int, _ value: UInt32) -> Bool {
            guard case .consume(let index) = program.steps[step] else { return false }
            return program.classes[Int(index)].contains(value)
        }

        func state(_ steps: [Int], isStart: Bool) -> State {
            let inside = follow(steps, isStart: isStart, isEnd: false)
            return State(waiting: inside.waiting, isEnd: follow(steps, isStart: isStart, isEnd: true).hasEnded)
        }

        private func follow(_ steps: [Int], isStart: Bool, isEnd: Bool) -> (waiting: [Int], hasEnded: Bool) {
            var (pending, entered) = (steps, Set<Int>())
            var (waiting, hasEnded) = ([Int](), false)
            while let step = pending.popLast() {
                guard entered.insert(step).inserted else { continue }
                guard step < program.steps.count else {
                    hasEnded = true
                    continue
                }
                switch program.steps[step] {
                case .consume: waiting.append(step)
                case .jump(let distance): pending.append(step + Int(distance))
                case .fork(let distance): pending += [step + Int(distance), step + 1]
                case .require(let assertion):
                    if assertion == .textStart ? isStart : isEnd { pending.append(step + 1) }
                }
            }
            return (waiting.sorted(), hasEnded)
        }
    }
}
