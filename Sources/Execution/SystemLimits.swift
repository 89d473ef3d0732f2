import CKernels
import Glibc

/// What the machine and its container allow this process.
package enum SystemLimits {
    /// The default thread count: `OMP_NUM_THREADS` if set, else the affinity mask, capped by the cgroup's CPU quota.
    package static let defaultThreads: Int = {
        if let text = getenv("OMP_NUM_THREADS"), let count = Int(String(cString: text)), count > 0 {
            return min(count, maximumThreads)
        }
        return min(processors, maximumThreads)
    }()

    /// Processors that the affinity mask and the cgroup's quota leave to this process.
    package static let processors = max(1, min(Int(sx_affinity_count()), cgroupQuota ?? .max))

    /// More threads than this are refused.
    package static let maximumThreads = 256

    /// CPUs that the cgroup's quota amounts to, rounded up; `nil` without a quota.
    package static var cgroupQuota: Int? {
        if let text = smallFile("/sys/fs/cgroup/cpu.max") {
            let parts = text.split(separator: " ")
            guard parts.count == 2, let quota = Int(parts[0]), let period = Int(parts[1]), quota > 0, period > 0 else {
                return nil
            }
            return (quota - 1) / period + 1
        }
        guard let quota = smallFile("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").flatMap({ Int($0) }), quota > 0,
            let period = smallFile("/sys/fs/cgroup/cpu/cpu.cfs_period_us").flatMap({ Int($0) }), period > 0
        else { return nil }
        return (quota - 1) / period + 1
    }

    /// Bytes of memory that the machine has or its cgroup allows.
    package static let memoryByteCount: Int = {
        let physical = max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(0, sysconf(Int32(_SC_PAGESIZE)))
        let cgroup =
            smallFile("/sys/fs/cgroup/memory.max").flatMap { Int($0) }
            ?? smallFile("/sys/fs/cgroup/memory/memory.limit_in_bytes").flatMap { Int($0) }
        return min(physical, cgroup ?? .max)
    }()

    /// Three quarters of `memoryByteCount`.
    package static let defaultBudget = memoryByteCount / 4 * 3

    /// The trimmed text of a small file; `nil` when it cannot be read.
    private static func smallFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
