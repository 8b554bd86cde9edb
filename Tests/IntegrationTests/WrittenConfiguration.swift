import Foundation
import TestSupport
import Testing

/// Configurations that people read: the samples, and the blocks of the README.
enum WrittenConfiguration {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func sample(_ name: String) throws -> String { try text("Tests/Samples/\(name)") }
}

extension String {
    /// Each of the texts must be there.
    func substituting(_ others: KeyValuePairs<String, String>) throws -> String {
        try others.reduce(self) { text, pair in
            try #require(text.contains(pair.key), "\(pair.key) is not there")
            return text.replacing(pair.key, with: pair.value)
        }
    }
}

/// What `weir validate` says of a configuration with these files beside it.
func validating(_ configuration: String, files: [String: String] = [:]) throws -> CommandRun {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-validate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files.merging(["weir.yaml": configuration], uniquingKeysWith: { $1 }) {
        try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    return try CommandRun("validate", "--config", "weir.yaml", in: folder)
}
