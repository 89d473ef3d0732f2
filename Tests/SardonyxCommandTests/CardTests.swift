import ArgumentParser
import Foundation
import Sardonyx
import Testing

@testable import SardonyxCommand

/// What `sardonyx card` prints reads back, and what it refuses.
@Suite struct CardTests {
    private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("models").path

    private func run(_ arguments: String...) throws {
        var command = try SardonyxCommand.parseAsRoot(["card"] + arguments)
        try command.run()
    }

    @Test(arguments: ["demo", "yolact_base"]) func printedCardsReadBack(_ name: String) throws {
        let card = try ModelCard(contentsOf: "\(Self.models)/\(name).card.json")
        let text = try CardText.text(card)
        #expect(try ModelCard(json: Array(text.utf8), from: "text") == card)
        #expect(text.hasPrefix("{\n  \"name\": \"\(card.name)\",\n  \"decoder\": \"yolact\",\n"))
        // Category identifiers other than 1, 2, … are kept.
        #expect(text.contains("category_ids") == (name == "yolact_base"))
    }

    @Test func aCardIsCheckedAgainstItsModel() throws {
        try run("\(Self.models)/demo.onnx", "--check", "\(Self.models)/demo.card.json")
        // The paper's networks take 550 × 550.
        let code = try #require(throws: ExitCode.self) {
            try run("\(Self.models)/demo.onnx", "--check", "\(Self.models)/yolact_base.card.json")
        }
        #expect(code.rawValue == 3)
        let error = try #require(throws: SardonyxError.self) {
            try run("\(Self.models)/demo.onnx", "--check", "\(Self.models)/missing.card.json")
        }
        #expect(error.code == .parse)
    }

    @Test func contradictingFlagsAreRefused() {
        for flags in [["--force"], ["--check", "x", "--all"], ["--check", "x", "--write"]] {
            #expect(throws: (any Error).self) {
                _ = try SardonyxCommand.parseAsRoot(["card", "model.onnx"] + flags)
            }
        }
    }
}
