import Glibc

/// Float memory that ends (or starts) exactly at an inaccessible page, for tests of kernels: an access past that end
/// is a fault, a write past the other one is found by `isIntact`.
public final class GuardedFloats {
    public enum Edge: CaseIterable, Sendable { case start, end }

    public let pointer: UnsafeMutablePointer<Float>
    public let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let slack: UnsafeMutableRawBufferPointer
    private static let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    private static let canary: UInt8 = 0xC5

    /// `count` floats, all NaN, so that reading what nobody wrote shows up.
    public init(_ count: Int, flushAt edge: Edge = .end) {
        let page = GuardedFloats.page
        let bytes = count * MemoryLayout<Float>.stride
        let body = max((bytes + page - 1) / page, 1) * page
        mappedBytes = body + 2 * page
        guard let mapping = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapping != MAP_FAILED
        else { fatalError("no memory for a guarded buffer of \(bytes) bytes") }
        self.mapping = mapping
        let first = mapping + page
        let data = edge == .end ? first + (body - bytes) : first
        let slackStart = edge == .end ? first : first + bytes
        slack = UnsafeMutableRawBufferPointer(start: slackStart, count: body - bytes)
        memset(slackStart, Int32(GuardedFloats.canary), body - bytes)
        mprotect(mapping, page, PROT_NONE)
        mprotect(first + body, page, PROT_NONE)
        pointer = data.bindMemory(to: Float.self, capacity: count)
        pointer.initialize(repeating: .nan, count: count)
        self.count = count
    }

    /// A copy of `values`.
    public convenience init(_ values: [Float], flushAt edge: Edge = .end) {
        self.init(values.count, flushAt: edge)
        for (i, value) in values.enumerated() { pointer[i] = value }
    }

    public var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// False if something was written just outside the floats, on the side without a guard page.
    public var isIntact: Bool { slack.allSatisfy { $0 == GuardedFloats.canary } }

    deinit { munmap(mapping, mappedBytes) }
}
