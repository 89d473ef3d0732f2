import CKernels

/// Runs `body` at every ISA level that this machine has, strongest last.
func atEveryIsaLevel(_ body: (sx_isa) throws -> Void) rethrows {
    let before = sx_isa_level()
    defer { sx_isa_set_level(before) }
    for raw in SX_ISA_SCALAR.rawValue...sx_isa_supported().rawValue {
        sx_isa_set_level(sx_isa(rawValue: raw))
        try body(sx_isa(rawValue: raw))
    }
}
