import Foundation
import Testing
import WeirConfiguration

/// A directory of its own that is gone afterwards.
final class Scratch {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

    func write(_ name: String, _ data: Data) throws -> String {
        let file = "\(path)/\(name)"
        try data.write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// The faults of a text; none where it can be used.
func faults(of yaml: String, file: String = "weir.yaml") -> [ConfigurationError] {
    do {
        _ = try Configuration.parse(yaml, file: file)
        return []
    } catch {
        return error.errors
    }
}

/// The least that a configuration needs, after which more may follow.
let leastServices = """
    services:
      - name: a
        routes: [{path: /a}]
        upstreams: [http://127.0.0.1:9001]

    """
