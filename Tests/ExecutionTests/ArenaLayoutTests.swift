import Testing

@testable import Execution

@Suite struct ArenaLayoutTests {
    @Test func boxesThatMeetInTimeDoNotOverlapInMemory() throws {
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<200 {
            let boxes = (0..<40).map { _ in
                let first = random(30)
                return ArenaLayout.Box(byteCount: random(5000), steps: first...first + random(10))
            }
            let layout = try ArenaLayout(boxes)
            for a in boxes.indices {
                #expect(layout.offsets[a] % 64 == 0)
                #expect(layout.offsets[a] + boxes[a].byteCount <= layout.byteCount)
                for b in boxes.indices where b > a && boxes[a].steps.overlaps(boxes[b].steps) {
                    let apart =
                        layout.offsets[a] + boxes[a].byteCount <= layout.offsets[b]
                        || layout.offsets[b] + boxes[b].byteCount <= layout.offsets[a]
                    #expect(apart || boxes[a].byteCount == 0 || boxes[b].byteCount == 0)
                }
            }
        }
    }

    @Test func boxesOfDifferentTimesShareMemory() throws {
        let layout = try ArenaLayout([
            .init(byteCount: 1000, steps: 0...1), .init(byteCount: 1000, steps: 2...3),
            .init(byteCount: 500, steps: 1...2),
        ])
        #expect(layout.byteCount == 1024 + 512)
    }

    /// So many boxes are placed in the order of time; a sweep over time finds every pair that meets.
    @Test func manyBoxesThatMeetDoNotOverlap() throws {
        let count = 2 * ArenaLayout.mostComparedBoxes
        let boxes = (0..<count).map { ArenaLayout.Box(byteCount: 64 + $0 * 7919 % 3000, steps: $0...$0 + $0 % 5) }
        let layout = try ArenaLayout(boxes)
        for a in boxes.indices {
            #expect(layout.offsets[a] % 64 == 0 && layout.offsets[a] + boxes[a].byteCount <= layout.byteCount)
            for b in a + 1..<min(a + 5, count) where boxes[a].steps.overlaps(boxes[b].steps) {
                #expect(
                    layout.offsets[a] + boxes[a].byteCount <= layout.offsets[b]
                        || layout.offsets[b] + boxes[b].byteCount <= layout.offsets[a])
            }
        }
        // At most 5 live at once, of at most 3,064 bytes, in classes of powers of two.
        #expect(layout.byteCount <= 5 * (64 + 128 + 256 + 512 + 1024 + 2048 + 4096))
    }

    @Test func sizesThatOverflowAreErrors() {
        #expect(throws: (any Error).self) { try ArenaLayout([.init(byteCount: .max, steps: 0...0)]) }
    }
}
