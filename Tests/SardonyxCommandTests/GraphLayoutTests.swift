import Foundation
import TestSupport
import Testing

@testable import SardonyxCommand

/// What every drawing must keep, on random graphs with random scopes.
@Suite struct GraphLayoutTests {
    private struct Drawing {
        let layout: GraphLayout
        let edges: [GraphLayout.Edge]
    }

    private static func random(_ count: Int, seed: UInt64, scopes: Int = 4) -> Drawing {
        var random = SeededRandom(seed)
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        var edges: [GraphLayout.Edge] = []
        for item in 1..<max(2, count) {
            for _ in 0..<1 + below(3) {
                let from = below(10) == 0 ? below(item) : max(0, item - 1 - below(4))
                edges.append(GraphLayout.Edge(from: from, to: item, value: from))
            }
        }
        // Mostly runs of nodes with one scope, some that come back: those make cycles of groups.
        let names = (0..<count).map { item -> [String] in
            let run = below(12) == 0 ? below(scopes) : item * scopes / count
            return below(15) == 0 ? [] : ["block\(run)", "part\((item / 5) % 3)"]
        }
        let sizes = (0..<count).map { _ in GraphLayout.Size(width: Double(60 + below(140)), height: 40) }
        return Drawing(
            layout: GraphLayout(sizes: sizes, scopes: names.map { $0.map { GraphScope($0) } }, edges: edges),
            edges: edges)
    }

    @Test(arguments: [UInt64](1...40)) func nothingOverlapsAndLinesLeadDown(seed: UInt64) {
        let drawing = Self.random(20 + Int(seed) * 5, seed: seed)
        let places = GraphPlacement(drawing.layout, x: 0, y: 0)
        for edge in drawing.edges {
            let (from, to) = (places.items[edge.from], places.items[edge.to])
            #expect(from.y + from.height <= to.y, "\(edge)")
        }
        for (index, group) in drawing.layout.groups.enumerated() {
            let members = group.members.map { member in
                switch member {
                case .item(let item): places.items[item]
                case .group(let inner): places.groups[inner]
                }
            }
            let box = places.groups[index]
            for (position, a) in members.enumerated() {
                #expect(a.y >= box.y && a.y + a.height <= box.y + box.height + 0.01)
                #expect(abs(a.x - box.x) + a.width / 2 <= box.width / 2 + 0.01)
                for b in members[(position + 1)...] {
                    let isApart =
                        abs(a.x - b.x) + 0.01 >= (a.width + b.width) / 2 || a.y + a.height <= b.y
                        || b.y + b.height <= a.y
                    #expect(isApart, "\(a) \(b)")
                }
            }
        }
    }

    @Test func linesBeginAndEndAtTheirBoxes() {
        let drawing = Self.random(80, seed: 7)
        let places = GraphPlacement(drawing.layout, x: 0, y: 0)
        for line in drawing.layout.lines {
            for (path, target) in zip(places.paths(line), line.targets) {
                if case .item(let item) = line.source, let first = path.first {
                    #expect(abs(first.x - places.items[item].x) < 0.01)
                    #expect(first.y == places.items[item].y + places.items[item].height)
                }
                if case .item(let item) = target.end, let last = path.last {
                    #expect(abs(last.x - places.items[item].x) < 0.01 && last.y == places.items[item].y)
                }
                for (above, below) in zip(path, path.dropFirst()) { #expect(above.y <= below.y) }
            }
        }
    }

    @Test func aChainIsStraight() {
        let sizes = (0..<50).map { GraphLayout.Size(width: Double(80 + $0 % 7 * 10), height: 40) }
        let edges = (1..<50).map { GraphLayout.Edge(from: $0 - 1, to: $0, value: $0) }
        let layout = GraphLayout(sizes: sizes, scopes: sizes.map { _ in [] }, edges: edges)
        #expect(layout.places.allSatisfy { abs($0.x - layout.places[0].x) < 0.01 })
        #expect(layout.places.map(\.row) == Array(0..<50))
    }

    /// A module that is called twice, with a node between: as one box it would be before and behind that node.
    @Test func aGroupAroundAnotherFallsIntoParts() {
        let scopes = [["m"], ["m"], ["m"], [], ["m"], ["m"], ["m"]].map { $0.map { GraphScope($0) } }
        let edges = (1..<7).map { (from: $0 - 1, to: $0) }
        let groups = GraphGroups(scopes: scopes, edges: edges).groups
        #expect(groups.dropFirst().map(\.title) == ["m", "m"])
        #expect(groups.dropFirst().allSatisfy { $0.members.count == 3 })
    }

    @Test func nothingIsADrawing() {
        let layout = GraphLayout(sizes: [], scopes: [], edges: [])
        #expect(GraphPlacement(layout, x: 0, y: 0).items.isEmpty && layout.lines.isEmpty)
    }

    @Test func threeThousandNodesAreQuick() {
        let clock = ContinuousClock()
        for scopes in [1, 200] {
            var drawing: Drawing?
            let time = clock.measure { drawing = Self.random(3000, seed: 3, scopes: scopes) }
            print("layout of 3000 nodes in \(drawing?.layout.groups.count ?? 0) groups: \(time)")
        }
    }

    @Test func cyclesAreFound() {
        let components = Acyclic.components([[1], [2], [0, 3], [4], []])
        #expect(Set(components.map { Set($0) }) == [[0, 1, 2], [3], [4]])
        #expect(Acyclic.order([[2], [2], []]) == [0, 1, 2])
    }
}

/// What is written stands inside a script element, whatever a model says.
@Suite struct GraphPageTests {
    @Test func stringsCannotLeaveTheScript() throws {
        let texts = ["</script>", "<!--", "\u{0}\u{1f}\u{7f}\"\\", "é\u{2028}🦊", "&amp;"]
        var json = JSONText()
        json.array(texts) { $0.string($1) }
        let text = String(decoding: json.bytes, as: UTF8.self)
        #expect(!text.contains("<") && !text.contains(">") && !text.contains("&"))
        let data = Data(json.bytes)
        let decoded = try JSONDecoder().decode([String].self, from: data)
        #expect(decoded == texts)
    }

    @Test func numbersAreJSON() throws {
        var json = JSONText()
        json.array { json in
            json.length(-0.04)
            json.length(12.34)
            json.length(.nan)
            json.number(1.5e-30)
            json.number(.infinity)
            json.number(-3)
            json.int(nil)
        }
        let numbers = try JSONDecoder().decode([Double?].self, from: Data(json.bytes))
        #expect(numbers == [0, 12.3, 0, 1.5e-30, nil, -3, -1])
    }
}
