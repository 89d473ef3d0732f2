import ArgumentParser
import CKernels
import Execution
import Foundation
import Media
import Sardonyx

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what this machine offers and what Sardonyx makes of it.",
        discussion: "Example: sardonyx doctor --json\nWith a model it also lists the operators that are missing.")

    @Argument(help: "A model whose operators are checked.") var model: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var modelFlags: ModelFlags

    private struct Report: Encodable {
        let cpu: String
        let features: [String]
        let isaSupported: String
        let isaUsed: String
        let threads: Int
        let affinityCPUs: Int
        let cgroupCPUs: Int?
        let memoryBytes: Int
        let memoryBudgetBytes: Int
        let libraries: [String: String]
        let fmaGMACsPerSecond: Double
        let readGBPerSecond: Double
        let missingOperators: [String]?
    }

    func run() throws {
        let report = try makeReport()
        if json {
            try Console.printJSON(report)
        } else {
            printText(report)
        }
    }

    private func makeReport() throws -> Report {
        let threads = SystemLimits.defaultThreads
        let cpu = CPUDescription.current
        return Report(
            cpu: cpu.name, features: cpu.features, isaSupported: String(cString: sx_isa_name(sx_isa_supported())),
            isaUsed: String(cString: sx_isa_name(sx_isa_level())), threads: threads,
            affinityCPUs: Int(sx_affinity_count()), cgroupCPUs: SystemLimits.cgroupQuota,
            memoryBytes: SystemLimits.memoryByteCount, memoryBudgetBytes: SystemLimits.defaultBudget,
            libraries: LibraryVersions.all,
            fmaGMACsPerSecond: sx_measure_fma_gmacs(Int32(threads), 200),
            readGBPerSecond: sx_measure_read_gbs(Int32(threads), 64 << 20, 200),
            missingOperators: try model.map { try modelFlags.loadToInspect($0).report().problems })
    }

    private func printText(_ report: Report) {
        Console.print("CPU        \(report.cpu)")
        Console.print("Features   \(report.features.joined(separator: " "))")
        Console.print(
            "Kernels    \(report.isaUsed)"
                + (report.isaUsed == report.isaSupported
                    ? "" : " (this CPU could do \(report.isaSupported); SARDONYX_ISA caps it)"))
        let quota = report.cgroupCPUs.map { ", cgroup quota \($0)" } ?? ""
        Console.print("Threads    \(report.threads) (affinity \(report.affinityCPUs)\(quota))")
        Console.print(
            "Memory     \(Units.bytes(report.memoryBytes)), of which a run may take \(Units.bytes(report.memoryBudgetBytes))"
        )
        Console.print(
            String(
                format: "Peak       %.0f GMAC/s float32, %.0f GB/s reading, measured now with %d threads",
                report.fmaGMACsPerSecond, report.readGBPerSecond, report.threads))
        for (name, version) in report.libraries.sorted(by: { $0.key < $1.key }) {
            Console.print("Library    \(name) \(version)")
        }
        guard let missing = report.missingOperators else { return }
        Console.print(
            missing.isEmpty
                ? "Model      nothing is missing" : missing.map { "Model      \($0)" }.joined(separator: "\n"))
    }
}

/// The processor as Linux describes it.
private struct CPUDescription {
    let name: String
    /// Instruction-set features that kernels use or could use.
    let features: [String]

    static var current: CPUDescription {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        func field(_ key: String) -> String? {
            text.split(separator: "\n").first { $0.hasPrefix(key) }?.split(separator: ":", maxSplits: 1).last
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let interesting = [
            "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
            "amx_bf16", "amx_int8", "asimd", "sve",
        ]
        let flags = Set((field("flags") ?? field("Features") ?? "").split(separator: " ").map(String.init))
        return CPUDescription(name: field("model name") ?? "unknown", features: interesting.filter(flags.contains))
    }
}
