// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "SegmentPicture",
    dependencies: [
        .package(url: "https://github.com/sardonyx/sardonyx", from: "0.1.0")
    ],
    targets: [
        .executableTarget(
            name: "SegmentPicture",
            dependencies: [
                .product(name: "Sardonyx", package: "sardonyx"),
                .product(name: "SardonyxMedia", package: "sardonyx"),
            ])
    ]
)
