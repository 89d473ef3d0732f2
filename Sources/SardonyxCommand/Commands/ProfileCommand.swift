import ArgumentParser
import Foundation
import Sardonyx
import TensorCore

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Show where the time of a model goes, node by node.",
        discussion: """
            Inputs that are not given are random numbers from a seed. Every figure is of one run: the median of the rounds.

              GMAC/s  multiply-accumulates a second by the direct algorithm, in units of 1e9; GFLOP/s are twice that
              exec    those that the algorithm in use executes (Winograd: a quarter)
              peak    exec by the fused multiply-adds that this machine was measured to do
              GB/s    inputs, weights and outputs, each once; caches can be faster than memory
              bw      GB/s by the measured speed of reading memory
              thr     threads
              imb     busiest worker over mean worker in the parallel regions
              layout  of the first input and the output: P plain, B blocked by 16 channels
              node    its name without what exporters repeat; JSON has all of it

            --sort loss puts first what takes longest beyond the bound that peak and bandwidth set.

            Examples:
              sardonyx profile yolact.onnx
              sardonyx profile model.onnx --threads 1 --all --sort schedule
              sardonyx profile model.onnx --svg profile.svg --trace trace.json
              sardonyx profile model.onnx --html graph.html
              sardonyx profile model.onnx --shape image=8x3x224x224 --json | jq '.operators'
            """)

    @Argument(help: "The ONNX model.", completion: .file(extensions: ["onnx"])) var model: String
    @Option(help: "Measured runs.") var rounds = 30
    @Option(help: "Runs before measuring.") var warmUp = 5
    @Option(help: "Order of the nodes.") var sort = ProfileOrder.time
    @Option(help: "Nodes to list.") var top = 20
    @Flag(help: "List all nodes.") var all = false
    @Option(
        defaultAsFlag: "-",
        help: ArgumentHelp("Write JSON to a file, or to standard output in place of the text.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Write a Chrome trace, for Perfetto or chrome://tracing.", valueName: "file"))
    var trace: String?
    @Option(help: ArgumentHelp("Write a picture of where the time goes.", valueName: "file")) var svg: String?
    @Option(
        help: ArgumentHelp(
            "Write the page of inspect --html, with the times as colours of the nodes.", valueName: "file"))
    var html: String?
    @OptionGroup var timeLimit: TimeoutFlag
    @OptionGroup var inputs: InputFlags
    @OptionGroup var modelFlags: ModelFlags
    @OptionGroup var flags: SessionFlags

    func validate() throws {
        let allowed = Session.maximumProfileRounds
        guard (1...allowed).contains(rounds), (0...allowed).contains(warmUp) else {
            throw ValidationError("--rounds takes 1 to \(allowed), --warm-up 0 to \(allowed).")
        }
        guard top >= 0 else { throw ValidationError("--top takes 0 or more.") }
    }

    func run() throws {
        let deadline = timeLimit.deadline
        let loaded = try modelFlags.load(model)
        // The page traces steps back to nodes by their names.
        let named = html == nil ? loaded : loaded.namingNodes()
        let session = try named.session(try flags.options(), limits: deadline.limits)
        let inputs = try inputs.tensors(for: session)
        var progress = ProgressLine(unit: "runs")
        let profile = try session.profile(
            inputs, rounds: rounds, warmUp: warmUp, options: deadline.limits
        ) { progress.show($0, of: warmUp + rounds) }
        progress.finish()
        if json == "-" {
            try Console.printJSON(profile)
        } else {
            Console.print(ProfileText(profile, title: model, width: Console.width).render(sort, top: all ? .max : top))
        }
        let name = (model as NSString).lastPathComponent
        if let json, json != "-" { try write(try Console.json(profile), to: json) }
        if let trace { try write(try Console.json(ProfileTrace(profile, title: name)), to: trace) }
        if let svg { try write(ProfilePicture.render(profile, title: name), to: svg) }
        if let html {
            let shapes = inputs.mapValues(\.shape.dims)
            let picture = try session.picture(shapes: shapes)
            let page = GraphPage.render(
                picture, report: try named.report(shapes: shapes), profile: profile, title: name)
            try WholeFile.write([page], to: html, as: .input)
            Console.error("wrote \(html)")
        }
    }

    private func write(_ text: String, to path: String) throws(SardonyxError) {
        try WholeFile.write([Array(text.utf8)], to: path, as: .input)
        Console.error("wrote \(path)")
    }
}
