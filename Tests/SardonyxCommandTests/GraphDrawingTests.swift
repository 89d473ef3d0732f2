import Foundation
import FoundationXML
import Sardonyx
import TestSupport
import Testing

@testable import SardonyxCommand

/// How graphs inside nodes are drawn where nobody can enter them:
/// x, c → If (then: Relu of x; else: Loop around Add of x and its state) → y.
@Suite struct GraphDrawingTests {
    private static func scalar(_ name: String, dtype: Int) -> Message { value(name, dtype: dtype, extents: []) }

    private static func drawing(isNested: Bool) throws -> GraphDrawing {
        let loop = graph(
            [node("Add", ["state", "x"], ["next"]), node("Identity", ["go"], ["again"])],
            more: [
                .message(11, scalar("turn", dtype: 7)), .message(11, scalar("go", dtype: 9)),
                .message(11, value("state")), .message(12, scalar("again", dtype: 9)), .message(12, value("next")),
            ])
        let other = graph(
            [node("Loop", ["", "c", "x"], ["grown"], .text(3, "/scope/Loop") + graphAttribute("body", loop))],
            outputs: ["grown"])
        let then = graph([node("Relu", ["x"], ["cut"])], outputs: ["cut"])
        let choice = node(
            "If", ["c"], ["y"],
            .text(3, "/scope/choice") + graphAttribute("then_branch", then) + graphAttribute("else_branch", other))
        let whole = graph(
            [choice],
            more: [.message(11, value("x")), .message(11, scalar("c", dtype: 9)), .message(12, value("y"))])
        let report = try Model(bytes: model(whole)).picture(readsWeights: false).graph
        return GraphDrawing(report, scopes: GraphScopes(report), isNested: isNested)
    }

    private static func index(_ title: String, in drawing: GraphDrawing) throws -> Int {
        try #require(drawing.items.firstIndex { $0.title == title })
    }

    /// The titles of the boxes around an item, innermost first.
    private static func boxes(around item: Int, in drawing: GraphDrawing) -> [String] {
        let groups = drawing.layout.groups
        return sequence(first: drawing.layout.groupOfItem[item]) { groups[$0].parent }.map { groups[$0].title }
            .dropLast()
    }

    @Test func graphsInsideAreBoxesInTheBoxOfTheirNode() throws {
        let drawing = try Self.drawing(isNested: true)
        let add = Self.boxes(around: try Self.index("Add", in: drawing), in: drawing)
        #expect(add.prefix(3) == ["body", "Loop", "else_branch"])
        #expect(add.last?.hasSuffix("If choice") == true)
        let relu = Self.boxes(around: try Self.index("Relu", in: drawing), in: drawing)
        #expect(relu.first == "then_branch" && relu.last == add.last)
        let choice = Self.boxes(around: try Self.index("If", in: drawing), in: drawing)
        #expect(choice.count == 1 && choice.first == add.last)
    }

    @Test func valuesComeFromTheirMakersAcrossGraphs() throws {
        let drawing = try Self.drawing(isNested: true)
        let wanted: [(String, Set<String>)] = [
            ("Add", ["state", "x"]), ("Relu", ["x"]), ("state", ["x"]), ("go", ["c"]), ("turn", []),
            ("Loop", ["again", "next"]), ("If", ["c", "cut", "grown"]),
        ]
        for (title, sources) in wanted {
            let item = try Self.index(title, in: drawing)
            let found = Set(drawing.edges.filter { $0.to == item }.map { drawing.items[$0.from].title })
            #expect(found == sources, "\(title)")
        }
        for edge in drawing.edges { #expect(drawing.names.indices.contains(edge.value)) }
    }

    @Test func onlyTheOuterGraphIsDrawnWhereOthersCanBeEntered() throws {
        let drawing = try Self.drawing(isNested: false)
        #expect(Set(drawing.items.map(\.title)) == ["x", "c", "If", "y"] && drawing.edges.count == 3)
    }

    /// What only computes the shape for a Reshape is one box; the Reshape and the nodes of the data are not in it.
    @Test func arithmeticOnShapesIsABox() throws {
        let nodes = [
            node("Relu", ["x"], ["r"]), node("Shape", ["r"], ["s"]), node("Gather", ["s", "first"], ["n"]),
            node("Unsqueeze", ["n", "zero"], ["u"]),
            node("Concat", ["u", "rest"], ["t"], .message(5, [.text(1, "axis"), .int(20, 2), .int(3, 0)])),
            node("Reshape", ["r", "t"], ["flat"]), node("Neg", ["flat"], ["y"]),
        ]
        let zero = [UInt8](repeating: 0, count: 8)
        let constants = [
            tensor("first", dtype: 7, dims: [], .bytes(9, zero)), tensor("zero", dtype: 7, dims: [1], .bytes(9, zero)),
            tensor("rest", dtype: 7, dims: [1], .bytes(9, [UInt8](repeating: 255, count: 8))),
        ]
        let extents: [Message] = [.text(2, "batch"), .int(1, 3), .int(1, 4)]
        let signature: Message = [.message(11, value("x", extents: extents)), .message(12, value("y", extents: nil))]
        let bytes = model(graph(nodes, initializers: constants, more: signature))
        let report = try Model(bytes: bytes).picture(readsWeights: false).graph
        let drawing = GraphDrawing(report, scopes: GraphScopes(report))
        let inside = drawing.items.indices.filter { drawing.layout.groupOfItem[$0] != 0 }.map {
            drawing.items[$0].title
        }
        #expect(inside == ["Shape", "Gather", "Unsqueeze", "Concat"])
        #expect(drawing.layout.groups.dropFirst().map(\.title) == ["shapes"])
    }

    @Test func picturesHoldEveryNode() throws {
        let drawing = try Self.drawing(isNested: true)
        let dot = GraphDot.render(drawing, title: "a \"title\"")
        #expect(dot.components(separatedBy: "subgraph cluster_").count == drawing.layout.groups.count)
        #expect(dot.components(separatedBy: "label=\"Add").count == 2 && dot.contains("style=\"rounded,dashed\""))
        let svg = GraphSVG.render(drawing, title: "title")
        #expect(XMLParser(data: Data(svg.utf8)).parse())
        #expect(
            svg.components(separatedBy: "stroke-dasharray").count - 1 == drawing.layout.groups.count { $0.kind.isBody })
        // Every edge that ends at an item has an arrowhead, once for each value.
        #expect(svg.components(separatedBy: "h6z").count - 1 == Set(drawing.edges).count)
    }
}
