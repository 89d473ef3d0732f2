import ArgumentParser
import Foundation
import GraphIR
import Media
import Sardonyx

/// `sardonyx compare`.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare a model's values, node by node, with another model, other options or saved tensors.",
        discussion: """
            The second side is another model, a .npz (or, of one output, .npy) file whose names are those of the model's \
            values, a folder test_data_set_* of the ONNX backend tests, or the same model with other options \
            (--against). Values are matched by name; an element a is within tolerance of r when \
            |a - r| <= atol + rtol |r|. By default rtol follows from the element type (float32 1e-4, float16 5e-3, \
            bfloat16 4e-2, float64 1e-9, integers and the like must be equal), and atol is rtol times the largest |r| of \
            the tensor. Recorded inputs are taken from the file; others come as `sardonyx run` takes them. Kernels that \
            compute several nodes show what they write only: --optimize off shows every value. Of If, Loop and Scan the \
            results are compared, not what is inside. tools/record-run records PyTorch and ONNX Runtime.

            Exit code 0: every value is within tolerance (--nan: all is finite), 1: one is not.

            Examples:
              sardonyx compare model.onnx ort.npz
              sardonyx compare model.onnx ort.npz --first-divergence --optimize off
              sardonyx compare model.onnx cases/test_relu/test_data_set_0
              sardonyx compare pruned.onnx original.onnx --input image=x.npy --all
              sardonyx compare model.onnx --against optimize=off --reset
              sardonyx compare model.onnx --against isa=scalar,winograd=off
              sardonyx compare half.onnx model.onnx --picture street.jpg --rtol 1e-2
              sardonyx compare model.onnx --nan --input image=x.npy
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Argument(help: "What it is compared with: a model, .npz, .npy, or a folder with output_*.pb.")
    var reference: String?
    @Option(
        help: ArgumentHelp(
            "Compare with the same model run otherwise: optimize=off, isa=scalar|avx2|avx512, or an option of this command "
                + "as in threads=1, winograd=off, memory-use=low, disable-pass=NAME; separated by commas.",
            valueName: "option=value"))
    var against: [String] = []
    @Option(help: "Run the planned graph with fused kernels (on), or each node by itself as in the file (off).")
    var optimize = OptimizeFlag.on
    @Option(
        help: ArgumentHelp(
            "A value's name here and in the reference, where they differ; may be repeated.", valueName: "ours=theirs"))
    var map: [String] = []
    @Flag(help: "Let each node read the reference's values: the errors of every node alone.") var reset = false
    @Flag(help: "Say only at which node the differences begin.") var firstDivergence = false
    @Flag(help: "Find the nodes that make NaN or infinities out of finite numbers; needs no second side.")
    var nan = false
    @Option(parsing: .unconditional, help: "Relative tolerance (default: by element type).") var rtol: Double?
    @Option(parsing: .unconditional, help: "Absolute tolerance (default: rtol of the tensor's largest element).")
    var atol: Double?
    @Flag(help: "Show every value, not only outputs and the worst.") var all = false
    @Option(
        help: ArgumentHelp(
            "Pictures for a detector: the objects that both sides find are matched; the first is the input of the "
                + "comparison. May be repeated.", valueName: "file"))
    var picture: [String] = []
    @Option(help: "The model card for --picture (default: the model's, or as its graph suggests).") var card: String?
    @Flag(help: "Print JSON.") var json = false
    @OptionGroup var timeLimit: TimeoutFlag
    @OptionGroup var inputs: InputFlags
    @OptionGroup var modelFlags: ModelFlags
    @OptionGroup var flags: SessionFlags

    func validate() throws {
        for (name, value) in [("rtol", rtol), ("atol", atol)] {
            if let value, !(value >= 0 && value.isFinite) { throw ValidationError("--\(name) takes a number from 0.") }
        }
        if reference != nil, !against.isEmpty { throw ValidationError("Give a second side or --against, not both.") }
        if reference == nil, against.isEmpty, !nan {
            throw ValidationError("Nothing to compare with: give a model, .npz or folder, --against, or --nan.")
        }
        if reference == nil, against.isEmpty, reset || firstDivergence || !map.isEmpty || !picture.isEmpty {
            throw ValidationError("--reset, --first-divergence, --map and --picture need a second side.")
        }
    }

    func run() throws {
        let deadline = timeLimit.deadline
        let run = ModelRun(
            try modelFlags.load(model), options: try flags.options(), isOptimized: optimize == .on)
        let options = ComparisonOptions(
            tolerance: Tolerance(relative: rtol, absolute: atol), resetsInputs: reset, huntsNotFinite: nan,
            names: try names(), run: deadline.limits)
        let side = try SecondSide(
            path: reference, against: against, flags: flags, run: run, load: modelFlags.load)
        guard let side else {
            let feeds = try inputs.named(for: run.model, memoryLimit: run.options.memoryLimit)
            let report = try progress { (tell) throws(SardonyxError) in
                try run.huntNotFinite(feeds: feeds.mapValues(RuntimeValue.tensor), run: deadline.limits, progress: tell)
            }
            if json { try Console.printJSON(report) } else { Console.print(NotFiniteText(report, model: model).text) }
            if !report.isFinite { throw ExitCode(1) }
            return
        }
        let pictures = try comparedPictures(run, side, deadline)
        let feeds = try side.feeds(for: run, inputs, names: options.names, picture: pictures?.inputs)
        let comparison = try progress { (tell) throws(SardonyxError) in
            try run.compare(to: side.reference, feeds: feeds, options: options, progress: tell)
        }
        var report = ComparisonReport(
            model: model, reference: side.label, comparison: comparison, pictures: pictures?.reports ?? [])
        report.isOptimized = optimize == .on
        if firstDivergence, optimize == .on, comparison.firstDivergence != nil {
            report.nodeByNode = try refined(run, side, feeds, options, deadline)
        }
        if json {
            try Console.printJSON(report)
        } else {
            Console.print(ComparisonText(report, all: all, onlyDivergence: firstDivergence).text)
        }
        if !report.isWithin { throw ExitCode(1) }
    }

    /// The same comparison without fused kernels: which of a kernel's nodes is at fault.
    private func refined(
        _ run: ModelRun, _ side: SecondSide, _ feeds: [Name: RuntimeValue], _ options: ComparisonOptions,
        _ deadline: TimeoutFlag.Deadline
    ) throws(SardonyxError) -> Comparison {
        var (run, options, reference) = (run, options, side.reference)
        run.isOptimized = false
        options.run = deadline.limits
        if case .run(var other) = reference {
            other.isOptimized = false
            reference = .run(other)
        }
        let (plain, settings) = (run, options)
        let against = reference
        return try progress { (tell) throws(SardonyxError) in
            try plain.compare(to: against, feeds: feeds, options: settings, progress: tell)
        }
    }

    private func progress<Result>(
        _ body: ((Int, Int) -> Void) throws(SardonyxError) -> Result
    ) throws(SardonyxError) -> Result {
        var line = ProgressLine(unit: "steps")
        defer { line.finish() }
        return try body { line.show($0, of: $1) }
    }

    private func names() throws(SardonyxError) -> [String: String] {
        var names: [String: String] = [:]
        for entry in map {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw SardonyxError(.usage, "--map", "not a pair of names", got: "'\(entry)'", allowed: "ours=theirs")
            }
            guard names.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw SardonyxError(.usage, "--map", "a name is given twice", got: "'\(parts[0])'")
            }
        }
        return names
    }

    // MARK: Pictures

    /// What the detector finds on both sides, and what its network is fed for the first picture.
    private func comparedPictures(
        _ run: ModelRun, _ side: SecondSide, _ deadline: TimeoutFlag.Deadline
    ) throws -> (reports: [ComparisonReport.Picture], inputs: [String: Tensor])? {
        guard !picture.isEmpty else { return nil }
        guard case .run(let other) = side.reference else {
            throw SardonyxError(
                .usage, "--picture", "needs a second run", got: side.label, allowed: "a model or --against")
        }
        let card = try card.map { (path) throws(SardonyxError) in try ModelCard(contentsOf: path) }
        let own = try PictureRun(run, card: card, limits: deadline.limits)
        // A second model without a card of its own is decoded as the first.
        let otherCard = try card ?? other.model.card() ?? own.segmenter.card
        let second = try PictureRun(other, card: otherCard, limits: deadline.limits)
        var reports: [ComparisonReport.Picture] = []
        var inputs: [String: Tensor] = [:]
        for path in try PictureList.expand(picture) {
            let image = try ImageFile.read(path)
            if inputs.isEmpty { inputs = try own.segmenter.inputs(for: image) }
            let matching = try InstanceMatching(
                try own.instances(in: image, run: deadline.limits),
                try second.instances(in: image, run: deadline.limits))
            reports.append(ComparisonReport.Picture(image: path, matching: matching))
        }
        return (reports, inputs)
    }
}

/// Whether passes and a plan are used.
enum OptimizeFlag: String, CaseIterable, ExpressibleByArgument {
    case on, off
}
