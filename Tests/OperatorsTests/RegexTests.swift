import GraphIR
import TensorCore
import Testing

@testable import Operators

/// What no official case covers of RegexFullMatch: the syntax, faults in patterns, patterns made to take long.
@Suite struct RegexTests {
    private func matches(_ pattern: String, _ text: String) throws -> Bool {
        let program = try RegexParser.program(pattern)
        let found = program.matches(text) {}
        if let table = RegexTable(program),
            let looked = text.utf8.withContiguousStorageIfAvailable(table.matches) ?? nil
        {
            #expect(looked == found, "\(pattern) as a table, \(text)")
        }
        return found
    }

    @Test(arguments: [
        ("a|bc*", "bcc"), ("", ""), ("(?i)straße", "STRAßE"), ("(?i)k", "\u{212A}"), ("[[:alpha:]_]+", "ab_"),
        ("\\x41\\x{e9}\\101", "AéA"), ("\\Qa.b\\E+", "a.bbb"), ("(?s).", "\n"), ("(?m)a$\\n^b", "a\nb"),
        ("\\bfoo\\b", "foo"), ("[^\\d]{2,3}?", "ab"), ("\\p{Lu}\\pN", "É7"), ("\\P{L}", "1"), ("[]a]+", "]a"),
        ("(?P<x>a)(?<y>b)(?:c)", "abc"), ("a{,2}", "a{,2}"), ("(a*)*", "aaa"), ("(|a)+", "aa"), (".", "é"),
        ("e\u{301}", "e\u{301}"), ("(?i:a)b", "Ab"), ("(?i)(?-i)a", "a"), ("a{0}b", "b"), ("[a-]", "-"),
    ])
    func takes(_ pattern: String, _ text: String) throws { #expect(try matches(pattern, text)) }

    @Test(arguments: [
        ("a", "ab"), ("a", "ba"), (".", "\n"), ("(?i:a)b", "AB"), ("\\d", "٣"), ("\\w", "é"), ("a{2,3}", "aaaa"),
        ("a$b", "ab"), ("é", "e\u{301}"), ("[^a]", "a"), ("a\\bb", "ab"), ("(?i)[^k]", "\u{212A}"), ("\\s", "\u{0B}"),
    ])
    func refuses(_ pattern: String, _ text: String) throws { #expect(try !matches(pattern, text)) }

    @Test(arguments: [
        ("ab(", 3), ("ab)", 3), ("*a", 1), ("a**", 3), ("a{3,2}", 6), ("a{1001}", 7), ("[a", 1), ("[b-a]", 4),
        ("\\", 1), ("\\1", 2), ("\\C", 2), ("\\Z", 2), ("(?=a)", 3), ("\\p{Greek}", 9), ("[[:foo:]]", 8),
        ("\\x{110000}", 10), ("(?P<>a)", 5), ("x(?i", 4),
    ])
    func faultyPattern(_ pattern: String, _ character: Int) throws {
        let error = NodeRunner("RegexFullMatch", ["pattern": .string(Array(pattern.utf8))]).fault(
            try Tensor(["a"], dims: [1]))
        #expect(error?.code == .value)
        #expect(error?.message.contains("character \(character):") == true, "\(error?.message ?? "no error")")
    }

    @Test func nothingTakesLong() throws {
        let text = String(repeating: "a", count: 2000)
        #expect(try !matches("(a*)*b", text))
        #expect(try !matches("(a|aa)+$b", text))
        #expect(try matches(String(repeating: "a?", count: 300) + "a{300}", String(repeating: "a", count: 300)))
        #expect(throws: RegexFault.self) { try matches("((a{100}){100}){100}", "") }
        #expect(throws: RegexFault.self) { try matches(String(repeating: "(", count: 100_000), "") }
        #expect(try matches(String(repeating: "(", count: 900) + String(repeating: ")", count: 900), ""))
    }
}
