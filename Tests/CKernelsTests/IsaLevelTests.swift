import CKernels
import TestSupport
import Testing

@Suite(.serialized) struct IsaLevelTests {
    @Test func levelsAboveTheMachineAreLowered() {
        let before = sx_isa_level()
        sx_isa_set_level(SX_ISA_AVX512)
        #expect(sx_isa_level() == sx_isa_supported())
        sx_isa_set_level(SX_ISA_SCALAR)
        #expect(sx_isa_level() == SX_ISA_SCALAR)
        sx_isa_set_level(before)
    }

    @Test func guardedFloatsNoticeWritesBeforeTheirStart() {
        let buffer = GuardedFloats([1, 2, 3])
        #expect(buffer.isIntact && buffer.array == [1, 2, 3])
        buffer.pointer[-1] = 0
        #expect(!buffer.isIntact)
    }
}
