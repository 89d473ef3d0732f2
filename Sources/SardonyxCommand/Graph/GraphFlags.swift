import ArgumentParser
import Sardonyx
import TensorCore

/// Options that write pictures of a model's graph.
struct GraphFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write a page to look at the graph with: one HTML file, which needs no network.", valueName: "file"))
    var html: String?
    @Option(help: ArgumentHelp("Write the graph as a picture.", valueName: "file")) var svg: String?
    @Option(help: ArgumentHelp("Write the graph for Graphviz.", valueName: "file")) var dot: String?
    @Flag(help: "Draw the plan, the graph that runs, with --svg and --dot; the page always has both.") var planned =
        false
    @Flag(help: "Leave statistics of weights out of the page; it is smaller, and large weights are not read.")
    var withoutWeights = false

    var isWanted: Bool { html != nil || svg != nil || dot != nil }
    var showsWeights: Bool { html != nil && !withoutWeights }

    /// - Throws: `usage` for the plan of a model that has none, `input` for a file that cannot be written.
    func write(_ picture: ModelPicture, _ report: ModelReport, title: String) throws(SardonyxError) {
        if planned, picture.plan == nil {
            throw SardonyxError(
                .usage, "--planned", "the model has no plan", got: picture.problems.joined(separator: "; "))
        }
        if let html { try write(GraphPage.render(picture, report: report, title: title), html) }
        guard svg != nil || dot != nil else { return }
        let source = GraphScopes(picture.graph)
        let drawing =
            if planned, let plan = picture.plan?.graph {
                GraphDrawing(plan, scopes: GraphScopes(plan: plan, source: source))
            } else {
                GraphDrawing(picture.graph, scopes: source, isNested: true)
            }
        if let svg { try write(Array(GraphSVG.render(drawing, title: title).utf8), svg) }
        if let dot { try write(Array(GraphDot.render(drawing, title: title).utf8), dot) }
    }

    private func write(_ bytes: [UInt8], _ path: String) throws(SardonyxError) {
        try WholeFile.write([bytes], to: path, as: .input)
        Console.error("wrote \(path)")
    }
}
