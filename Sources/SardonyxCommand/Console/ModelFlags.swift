import ArgumentParser
import Sardonyx

/// Options of every command that opens a model.
struct ModelFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Directory that external tensor data may lie in (default: the model's own).", valueName: "directory"))
    var externalRoot: String?

    func load(_ path: String) throws(SardonyxError) -> Model {
        try Model(contentsOf: path, externalRoot: externalRoot)
    }

    /// Opens a model that is only looked into: its external data may be missing.
    func loadToInspect(_ path: String) throws(SardonyxError) -> Model {
        try Model(contentsOf: path, externalRoot: externalRoot, toleratesMissingData: true)
    }
}
