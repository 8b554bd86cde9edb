import LimiterCore

/// Collects what is wrong with one file while it is read.
final class Faults {
    let file: String
    private var list: [ConfigurationError] = []
    /// Paths of the file and of those that it names.
    private(set) var files: [String]

    init(file: String) {
        self.file = file
        files = [file]
    }

    /// The text of a file that the file names, and where it is.
    func read(_ path: String) throws(ConfigurationError) -> (text: String, path: String) {
        let resolved = ConfigurationFile.resolve(path, from: file)
        files.append(resolved)
        return (try ConfigurationFile.read(resolved), resolved)
    }

    var isEmpty: Bool { list.isEmpty }

    var count: Int { list.count }

    var errors: ConfigurationErrors { ConfigurationErrors(list, of: file) }

    func add(_ message: String, _ position: Position) {
        list.append(ConfigurationError(message, file: file, line: position.line, column: position.column))
    }

    func add(_ errors: ConfigurationErrors) { list += errors.errors }

    /// What `body` makes, or nil and a fault at that place.
    func at<Value>(_ position: Position, _ body: () throws(ConfigurationError) -> Value) -> Value? {
        do {
            return try body()
        } catch {
            add(error.message, position)
            return nil
        }
    }

    /// The same for what the limiter core reads.
    func limit<Value>(at position: Position, _ body: () throws(LimitError) -> Value) -> Value? {
        do {
            return try body()
        } catch {
            add(error.message, position)
            return nil
        }
    }
}
