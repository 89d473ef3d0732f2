import CKernels
import TestSupport
import Testing

@Suite struct IsaLevelTests {
    @Test func everyLevelUpToTheMachinesIsVisited() {
        var visited: [sx_isa] = []
        atEveryIsaLevel { level in
            #expect(sx_isa_level() == level)
            visited.append(level)
        }
        #expect(visited.first == SX_ISA_SCALAR && visited.last == sx_isa_supported())
    }

    @Test func levelsAboveTheMachinesAreLowered() {
        atEveryIsaLevel { level in
            guard level == sx_isa_supported() else { return }
            sx_isa_set_level(SX_ISA_AVX512)
            #expect(sx_isa_level() == level)
        }
    }

    @Test func guardedFloatsNoticeWritesBeforeTheirStart() {
        let buffer = GuardedFloats([1, 2, 3])
        #expect(buffer.isIntact && buffer.array == [1, 2, 3])
        buffer.pointer[-1] = 0
        #expect(!buffer.isIntact)
    }
}
