import Testing

@testable import SardonyxCommand

/// Names come from model files: none may steer the terminal.
@Suite struct ConsoleTests {
    @Test func controlCharactersAreEscaped() {
        #expect(Console.printable("a\u{1B}[2Jb\u{7}\r\n\u{9B}1mé漢\tz") == "a\\x1b[2Jb\\x07\\x0d\n\\x9b1mé漢\\x09z")
        #expect(Console.printable("plain\ntext") == "plain\ntext")
    }

    @Test func aCellIsOneLine() {
        var table = TextTable([("name", .left), ("n", .right)])
        table.add("two\nlines", "1")
        #expect(table.render(indent: "") == "name          n\ntwo\\x0alines  1")
    }

    @Test func wrappedTextBreaksAtSpacesAlone() {
        #expect(InspectText.wrapped("a\r\nb", indent: 2) == ["  a\\x0d\\x0ab"])
    }

    @Test func shapesTakeBothSeparators() throws {
        #expect(try #require(ShapeFlag(argument: "x=2,5x64")).dims == [2, 5, 64])
        #expect(ShapeFlag(argument: "x=2,,5") == nil)
    }
}
