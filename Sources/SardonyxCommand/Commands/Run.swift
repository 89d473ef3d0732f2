import ArgumentParser
import Foundation
import Sardonyx

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a model on tensors and write its outputs.",
        discussion: """
            Inputs that are not given are random numbers from a seed. Outputs go to a .npz file, a single one to a
            .npy file if its name says so; bfloat16 is stored as uint16, narrower floats as uint8, bit by bit.

            Examples:
              sardonyx run model.onnx --input image=input.npy --output out.npz
              sardonyx run model.onnx --input feeds.npz --output out.npz
              sardonyx run model.onnx --shape image=2x3x224x224 --seed 7
              sardonyx run model.onnx --input x=test_data_set_0/input_0.pb
              sardonyx run model.onnx --input x=x.npy --all-values --output reference.npz
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(name: .shortAndLong, help: "Write all outputs to this .npz file, or the only one to a .npy file.")
    var output: String?
    @Flag(
        help: """
            Write every value, inputs and intermediates too, with each node run by itself as the file has it: a \
            reference for sardonyx compare.
            """)
    var allValues = false
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var timeLimit: TimeoutFlag
    @OptionGroup var inputs: InputFlags
    @OptionGroup var modelFlags: ModelFlags
    @OptionGroup var flags: SessionFlags

    private struct Report: Encodable {
        struct Output: Encodable {
            let name: String
            let dtype: String
            let shape: [Int]
            /// Of float32 and float64 outputs; `nil` for others and for empty ones.
            let minimum: Double?
            let maximum: Double?
            let mean: Double?
            let notFinite: Int?
        }
        let milliseconds: Double
        let outputs: [Output]
    }

    func validate() throws {
        guard allValues else { return }
        guard let output, (output as NSString).pathExtension.lowercased() == "npz" else {
            throw ValidationError("--all-values needs a .npz file: --output FILE.npz")
        }
    }

    func run() throws {
        if allValues, let output { return try writeAllValues(output) }
        let clock = ContinuousClock()
        let deadline = timeLimit.deadline
        let model = try modelFlags.load(model)
        let target = try output.map { try OutputArrays($0, for: model.outputs) }
        let session = try model.session(try flags.options(), limits: deadline.limits)
        let inputs = try inputs.named(for: session)
        let start = clock.now
        let outputs = try session.run(byName: inputs, options: deadline.limits)
        let time = clock.now - start
        try target?.write(outputs)
        let named = zip(model.outputs, outputs).map { ($0.name, $1) }
        let report = Report(milliseconds: Units.milliseconds(time), outputs: named.map(Self.summary))
        if json { try Console.printJSON(report) } else { printText(report) }
    }

    private func writeAllValues(_ output: String) throws {
        let deadline = timeLimit.deadline
        let run = ModelRun(try modelFlags.load(model), options: try flags.options(), isOptimized: false)
        try OutputArrays.requireWritable(output)
        let feeds = try inputs.named(for: run.model, memoryLimit: run.options.memoryLimit)
        let report = try ValueRecorder(run).write(feeds, to: output, limits: deadline.limits)
        if json {
            try Console.printJSON(report)
        } else {
            Console.print("wrote \(report.count) values (\(Units.bytes(report.byteCount))) to \(output)")
            for name in report.leftOut { Console.print("left out '\(name)', which is no tensor") }
        }
    }

    private static func summary(_ name: String, _ tensor: Tensor) -> Report.Output {
        var numbers = NumberSummary()
        switch tensor.dtype {
        case .float32: for value in tensor.elements(of: Float.self) { numbers.add(Double(value)) }
        case .float64: for value in tensor.elements(of: Double.self) { numbers.add(value) }
        default: break
        }
        withExtendedLifetime(tensor) {}
        return Report.Output(
            name: name, dtype: "\(tensor.dtype)", shape: Array(tensor.shape.dims), minimum: numbers.minimum,
            maximum: numbers.maximum, mean: numbers.mean, notFinite: numbers.notFinite)
    }

    private func printText(_ report: Report) {
        var table = TextTable([
            ("output", .left), ("type", .left), ("least", .right), ("mean", .right), ("greatest", .right),
            ("not finite", .right),
        ])
        func number(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
        for entry in report.outputs {
            table.add(
                entry.name, "\(entry.dtype)\(entry.shape)", number(entry.minimum), number(entry.mean),
                number(entry.maximum), entry.notFinite.map(String.init) ?? "")
        }
        Console.print(table.render(indent: ""))
        Console.print(
            "ran in \(Units.text(milliseconds: report.milliseconds))" + (output.map { ", wrote \($0)" } ?? ""))
    }
}
