import ArgumentParser

@main
struct SardonyxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sardonyx", abstract: "Run, inspect and benchmark ONNX graphs on the CPU; segment pictures.")
}
