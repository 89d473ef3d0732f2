/// A pattern as steps of a machine that tries all its ways at once: the time of a match grows with the product of the
/// lengths of text and program, whatever the pattern.
struct RegexProgram: Sendable {
    enum Assertion: UInt8, Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
    }

    /// Targets are distances from the step itself; where nothing is said, the next step follows.
    enum Step: Sendable {
        /// Takes a scalar of a class.
        case consume(Int32)
        case require(Assertion)
        case jump(Int32)
        /// The next step, or one so far away.
        case fork(Int32)
    }
    let steps: [Step]
    let classes: [RegexClass]

    /// Whether the step takes this scalar.
    func takes(_ step: Int, _ value: UInt32) -> Bool {
        guard case .consume(let index) = steps[step] else { return false }
        return classes[Int(index)].contains(value)
    }

    /// Whether the program takes the whole text.
    /// - Parameter check: called now and then.
    func matches<Failure: Error>(_ text: String, check: () throws(Failure) -> Void) throws(Failure) -> Bool {
        var machine = Machine(self)
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()?.value
        machine.enter(0, previous: nil, next: next)
        while let value = next {
            guard !machine.isStuck else { return false }
            next = scalars.next()?.value
            try machine.advance(over: value, next: next, check)
        }
        return machine.hasEnded
    }

    /// The steps that wait for a scalar, at one place of a text.
    struct Machine {
        private let program: RegexProgram
        private(set) var waiting: [Int] = []
        /// By step: the number of the last scalar before which it was entered.
        private var entered: [Int]
        private var pending: [Int] = []
        private var count = 1
        private var work = 0
        private(set) var hasEnded = false

        init(_ program: RegexProgram) {
            self.program = program
            entered = [Int](repeating: 0, count: program.steps.count + 1)
        }

        var isStuck: Bool { waiting.isEmpty }

        mutating func advance<Failure: Error>(
            over value: UInt32, next: UInt32?, _ check: () throws(Failure) -> Void
        ) throws(Failure) {
            let before = waiting
            leave()
            for step in before {
                work += 1
                if work % 65_536 == 0 { try check() }
                if program.takes(step, value) { enter(step + 1, previous: value, next: next) }
            }
        }

        /// Goes on to another place, where no step waits yet.
        mutating func leave() {
            waiting.removeAll(keepingCapacity: true)
            hasEnded = false
            count += 1
        }

        /// Follows all steps that take no scalar.
        /// - Parameters:
        ///   - previous: the scalar before this place.
        ///   - next: the one behind it.
        mutating func enter(_ step: Int, previous: UInt32?, next: UInt32?) {
            pending.append(step)
            while let step = pending.popLast() {
                guard entered[step] != count else { continue }
                entered[step] = count
                guard step < program.steps.count else {
                    hasEnded = true
                    continue
                }
                switch program.steps[step] {
                case .consume: waiting.append(step)
                case .jump(let distance): pending.append(step + Int(distance))
                case .fork(let distance):
                    pending.append(step + Int(distance))
                    pending.append(step + 1)
                case .require(let assertion):
                    if assertion.holds(previous, next) { pending.append(step + 1) }
                }
            }
        }
    }
}

extension RegexProgram.Assertion {
    /// - Parameters:
    ///   - previous, next: the scalars around the place; `nil` at the ends of the text.
    fileprivate func holds(_ previous: UInt32?, _ next: UInt32?) -> Bool {
        func isWord(_ value: UInt32?) -> Bool {
            value.map { v in RegexClass.word.contains { $0.contains(v) } } ?? false
        }
        return switch self {
        case .textStart: previous == nil
        case .textEnd: next == nil
        case .lineStart: previous == nil || previous == 0x0A
        case .lineEnd: next == nil || next == 0x0A
        case .wordBoundary: isWord(previous) != isWord(next)
        case .noWordBoundary: isWord(previous) == isWord(next)
        }
    }
}

// MARK: Parts of programs, made of steps that end behind their last one

extension [RegexProgram.Step] {
    /// This or the other.
    func or(_ other: Self) -> Self {
        [.fork(Int32(count + 2))] + self + [.jump(Int32(other.count + 1))] + other
    }

    /// Any number of times, or none.
    var star: Self { [.fork(Int32(count + 2))] + self + [.jump(-Int32(count + 1))] }

    /// Once or more. The fork's first way leads on, its second back.
    var plus: Self { self + [.fork(-Int32(count))] }

    var optional: Self { [.fork(Int32(count + 1))] + self }

    /// `least` times to `most` times, or more.
    func repeated(_ least: Int, _ most: Int?) -> Self {
        guard let most else {
            return least == 0 ? star : (0..<(least - 1)).flatMap { _ in self } + plus
        }
        return (0..<least).flatMap { _ in self } + (least..<Swift.max(most, least)).flatMap { _ in optional }
    }

    /// How many steps `repeated` makes, at most.
    func repeatedCount(_ least: Int, _ most: Int?) -> Int { (count + 1) * Swift.max(least, most ?? 0, 1) + 1 }
}
