import Foundation
import Sardonyx

/// The pictures that a command line names.
enum PictureList {
    private static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]

    /// Files as given, directories replaced by the pictures directly inside, in the order of their names.
    /// - Throws: `input` for a path that does not exist or a directory without pictures.
    static func expand(_ paths: [String]) throws(SardonyxError) -> [String] {
        var result: [String] = []
        for path in paths {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                throw SardonyxError(.input, path, "no such file or directory")
            }
            guard isDirectory.boolValue else {
                result.append(path)
                continue
            }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            let pictures = names.filter { extensions.contains(($0 as NSString).pathExtension.lowercased()) }.sorted()
            guard !pictures.isEmpty else {
                throw SardonyxError(.input, path, "no pictures in this directory", allowed: "JPEG, PNG, WebP")
            }
            result += pictures.map { (path as NSString).appendingPathComponent($0) }
        }
        return result
    }
}

/// Directories that results go to.
enum OutputDirectory {
    /// - Throws: `input` when it cannot be made.
    static func create(_ path: String) throws(SardonyxError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw SardonyxError(.input, path, "the directory cannot be made", hint: error.localizedDescription)
        }
    }
}
