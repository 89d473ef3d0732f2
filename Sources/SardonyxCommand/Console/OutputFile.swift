import Foundation
import Sardonyx

/// Text files that a command writes.
enum OutputFile {
    /// Writes the whole file or nothing.
    /// - Throws: `input` when it cannot be written.
    static func write(_ text: String, to path: String) throws(SardonyxError) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw SardonyxError(.input, path, "the file cannot be written", hint: error.localizedDescription)
        }
    }
}
