// swift-tools-version: 6.2
import PackageDescription

/// OpenMP comes from Debian's libomp-14-dev. Its header directory also holds clang 14's intrinsics,
/// so it must be searched last (`-idirafter`).
let openMP: [String] = ["-fopenmp", "-idirafter", "/usr/lib/llvm-14/lib/clang/14.0.6/include"]

let swift6: [SwiftSetting] = [.swiftLanguageMode(.v6)]

func floor(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: swift6)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swift6)
}

let package = Package(
    name: "Sardonyx",
    products: [
        .library(name: "Sardonyx", targets: ["Sardonyx"]),
        .library(name: "SardonyxMedia", targets: ["Media"]),
        .executable(name: "sardonyx", targets: ["SardonyxCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Floor 0: C.
        .target(
            name: "CKernels", exclude: ["README.md"],
            cSettings: [
                .unsafeFlags(openMP + ["-O3", "-ffp-contract=off", "-fno-math-errno"])
            ],
            linkerSettings: [.linkedLibrary("omp5"), .linkedLibrary("m")]),
        .target(
            name: "COnnx", exclude: ["README.md"],
            linkerSettings: [.linkedLibrary("protobuf-c")]),
        .target(
            name: "CCodecs", exclude: ["README.md"],
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("tiff"), .linkedLibrary("openjp2"),
            ]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
        .systemLibrary(name: "CFreeType", pkgConfig: "freetype2", providers: [.apt(["libfreetype-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Floors 0-4: imports point downward only.
        floor("TensorCore", []),
        floor("Codecs", ["CCodecs", "CWebP", "TensorCore"]),
        floor("GraphIR", ["TensorCore"]),
        floor("OnnxImport", ["COnnx", "GraphIR", "TensorCore"]),
        floor("OnnxExport", ["GraphIR", "TensorCore"]),
        floor("Operators", ["CKernels", "Codecs", "GraphIR", "TensorCore"]),
        floor("Passes", ["Operators", "GraphIR", "TensorCore"]),
        floor("Execution", ["Passes", "Operators", "CKernels", "GraphIR", "TensorCore"]),
        floor("Detection", ["CKernels", "TensorCore"]),
        floor("NumpyIO", ["CZlib", "TensorCore"]),
        floor("Media", ["Codecs", "CFreeType", "Detection", "TensorCore"]),
        floor(
            "Sardonyx",
            [
                "Execution", "Passes", "OnnxImport", "OnnxExport", "Operators", "CKernels", "GraphIR", "Detection",
                "TensorCore",
            ]),
        // Floor 5: the command.
        .executableTarget(
            name: "SardonyxCommand",
            dependencies: [
                "Sardonyx", "Media", "NumpyIO", "OnnxImport", "OnnxExport", "Passes", "Operators", "Execution",
                "GraphIR", "CKernels", "COnnx", "CWebP",
                "Detection", "TensorCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["README.md", "Manual"],
            // Embedded, so that the command stays a single file.
            resources: [.embedInCode("Graph/Page")],
            swiftSettings: swift6),
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: swift6),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        tests("TensorCoreTests", ["TensorCore"]),
        tests("ExecutionTests", ["Execution", "Passes", "Operators", "GraphIR", "TensorCore", "AllocationCounter"]),
        tests("CKernelsTests", ["CKernels", "TestSupport"]),
        tests("CodecsTests", ["Codecs", "TensorCore"]),
        tests("MediaTests", ["Media", "Codecs", "NumpyIO", "Detection", "TensorCore"], exclude: ["Fixtures"]),
        tests("OperatorsTests", ["Operators", "CKernels", "GraphIR", "TensorCore"]),
        tests("SardonyxTests", ["Sardonyx", "TestSupport"]),
        tests("SardonyxCommandTests", ["SardonyxCommand", "Sardonyx", "NumpyIO", "TensorCore", "TestSupport"]),
        tests("GraphIRTests", ["GraphIR", "TensorCore"]),
        tests("ConformanceTests", ["Sardonyx"]),
        tests("NumpyIOTests", ["NumpyIO", "TensorCore"], exclude: ["Fixtures"]),
        tests("DetectionTests", ["Detection", "NumpyIO", "CKernels", "TensorCore"], exclude: ["Fixtures"]),
        tests("OnnxExportTests", ["OnnxExport", "OnnxImport", "GraphIR", "TensorCore"]),
        .testTarget(
            name: "OnnxImportTests", dependencies: ["OnnxImport", "GraphIR", "TensorCore", "TestSupport"],
            exclude: ["Fixtures"], swiftSettings: swift6),
    ]
)
